"""The one vocabulary of settings: their canonical names, and what else they are called."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["SETTINGS", "SYNONYMS", "normal", "setting_of"]

_BETWEEN = re.compile(r"[\s\-]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

#: What a configuration says of a recipe, in the order of the docs page: name and meaning.
SETTINGS = {
    "algorithm": "advantage estimator or algorithm",
    "loss_type": "policy loss, or how it is averaged",
    "model": "the policy that training starts from",
    "prompts_per_step": "prompts of one step",
    "generations": "samples of one prompt: rollouts per prompt",
    "difficulty": "class of difficulty of the prompts, a column of a table",
    "eval_generations": "samples of one validation prompt",
    "epochs": "passes over each batch",
    "learning_rate": "peak learning rate of the policy",
    "kl_coefficient": "weight of the KL term",
    "clip_low": "lower clip range",
    "clip_high": "upper clip range",
    "temperature": "sampling temperature",
    "max_response_length": "longest response, tokens",
    "precision": "number format of training",
    "seed": "random seed",
    "layers": "layers of the policy",
    "width": "hidden size of the policy",
}

#: What else a setting is called.
SYNONYMS = {
    "lr": "learning_rate",
    "beta": "kl_coefficient", "kl_coef": "kl_coefficient",
    "group_size": "generations", "num_generations": "generations", "rollouts": "generations",
    "n_rollouts": "generations", "rollout_n": "generations", "rollouts_per_prompt": "generations",
    "samples_per_prompt": "generations", "problems_per_batch": "prompts_per_step",
}  # fmt: skip


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    """Return a name as it is compared.

    Examples
    --------
    >>> normal("Global Step"), normal("meanReward"), normal("pass@1")
    ('global_step', 'mean_reward', 'pass_at_1')
    """
    return _BETWEEN.sub("_", _HUMP.sub("_", name.strip())).lower().replace("@", "_at_")


def setting_of(name: str) -> str | None:
    """Return the canonical setting that the name of a column means, None where it means none.

    Examples
    --------
    >>> setting_of("Learning Rate"), setting_of("num_generations"), setting_of("loss")
    ('learning_rate', 'generations', None)
    """
    known = normal(name)
    return known if known in SETTINGS else SYNONYMS.get(known)
