"""The canonical quantities: one name and one unit for what every trainer logs under its own key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rlscale.curves.vocabulary import SETTINGS

__all__ = ["CANONICAL", "OWN_LOOP", "SETTINGS", "Canonical", "Key", "compiled"]


@dataclass(frozen=True)
class Canonical:
    """A quantity.

    Parameters
    ----------
    name : str
        The name in :attr:`rlscale.curves.Run.metrics`, in JSON and on the docs page.
    unit : str
        Its unit, unless a trainer's key says otherwise.
    meaning : str
        One line.
    """

    name: str
    unit: str
    meaning: str


#: In the order of the docs page.
CANONICAL = (
    Canonical("step", "steps", "updates of the policy"),
    Canonical("validation", "reward", "mean reward of the held-out prompts: the curve that is fitted"),
    Canonical("n_eval", "samples", "graded samples behind one validation value: prompts x generations"),
    Canonical("train_reward", "reward", "mean reward of the train batch, fitted where no validation is logged"),
    Canonical("entropy", "nats per token", "entropy of the policy"),
    Canonical("kl", "nats per token", "divergence from the reference policy"),
    Canonical("kl_new_old", "nats per token", "divergence of the updated policy from the one that sampled"),
    Canonical("clip_fraction", "share of tokens", "tokens whose ratio was clipped"),
    Canonical("truncation", "share of samples", "responses that hit the length limit"),
    Canonical("response_length", "tokens", "mean length of a response"),
    Canonical(
        "mismatch", "", "difference between the sampler's and the trainer's probabilities; each key has its unit"
    ),
    Canonical("zero_variance", "share of groups", "groups whose rewards are all equal: no gradient"),
    Canonical("staleness", "policy versions", "how far the sampling policy lags behind"),
    Canonical("tokens", "tokens", "tokens generated and read"),
    Canonical("step_seconds", "seconds", "wall time of one step"),
    Canonical("gpus", "GPUs", "GPUs the run holds"),
    Canonical("learning_rate", "", "learning rate of the policy"),
    Canonical("grad_norm", "", "norm of the policy's gradient"),
)

#: log: seen in a real log file; run: in a run made for this project; source: read in the trainer's source only;
#: docs: in its documentation only.
Seen = Literal["log", "run", "source", "docs"]


@dataclass(frozen=True)
class Key:
    """Where a trainer logs a canonical quantity.

    Parameters
    ----------
    name : str
        The canonical quantity.
    key : str
        The key; ``{x}`` stands for any part without a slash, ``{x...}`` for any text, ``{N}`` for a number,
        ``{a|b}`` for either.
    seen : str
        ``log``, ``run``, ``source`` or ``docs``: how surely the trainer logs it.
    unit : str
        Where it differs from the canonical one.
    versions : str
        Versions that log it, where it moved.
    note : str
        What a reader must know.
    complement : bool
        Whether the quantity is 1 minus what is logged.
    plus : (str, str)
        What stands in the key, and what stands in its place in another key to add to it.
    minus : str
        Another key to take away from it.
    without : tuple of str
        Keys, written the same way, that are something else although they fit.
    """

    name: str
    key: str
    seen: Seen = "source"
    unit: str = ""
    versions: str = ""
    note: str = ""
    complement: bool = False
    plus: tuple[str, str] = ("", "")
    minus: str = ""
    without: tuple[str, ...] = ()

    def matches(self, key: str) -> bool:
        """Whether a logged key is this one."""
        if compiled(self.key).fullmatch(key) is None:
            return False
        return not any(compiled(other).fullmatch(key) for other in self.without)

    @property
    def written(self) -> str:
        """The key as a reader of a table understands it: ``1 - env/all/by_group/frac_mixed``."""
        text = f"1 - {self.key}" if self.complement else self.key
        if self.plus[0]:
            text += f" + {self.key.replace(*self.plus)}"
        return f"{text} - {self.minus}" if self.minus else text

    @property
    def literal(self) -> bool:
        """Whether the key has no variable part."""
        return "{" not in self.key


_PART = re.compile(r"\{([^{}]*)\}")


@lru_cache(maxsize=1024)
def compiled(text: str) -> re.Pattern[str]:
    """Return the pattern of a key written as in :class:`Key`."""
    parts = _PART.split(text)
    made = [re.escape(part) if k % 2 == 0 else _hole(part) for k, part in enumerate(parts)]
    return re.compile("".join(made), re.DOTALL)


def _hole(name: str) -> str:
    if "|" in name:
        return "(?:" + "|".join(re.escape(one) for one in name.split("|")) + ")"
    if name.endswith("..."):
        return ".+"
    return r"\d+" if name in {"N", "n", "k", "i"} else r"[^/]+"


#: The keys of a loop of one's own; of a trainer, too, for what it does not log itself.
OWN_LOOP = (
    Key("entropy", "{entropy|train/entropy|policy/entropy}"),
    Key("kl", "{kl|train/kl|policy/kl}"),
    Key("clip_fraction", "{clip_fraction|clip_frac|clipfrac|train/clip_fraction}"),
    Key("kl_new_old", "{kl_new_old|kl_old|approx_kl|ppo_kl|train/approx_kl|train/ppo_kl}"),
    Key("truncation", "{truncation|truncation_rate|clipped_ratio|train/truncation|train/truncation_rate}"),
    Key("zero_variance", "{zero_variance|frac_reward_zero_std|train/zero_variance}"),
    Key("mismatch", "{mismatch|train/mismatch}", unit="unknown"),
    Key("staleness", "{staleness|train/staleness}"),
    Key("response_length", "{response_length|train/response_length|response_length/mean}"),
    Key("step_seconds", "{step_time|time/step|timing/step}"),
    Key("learning_rate", "{lr|learning_rate|train/lr|train/learning_rate|optim/lr}"),
    Key("grad_norm", "{grad_norm|train/grad_norm|optim/grad_norm}"),
)
