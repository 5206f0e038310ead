"""Train six tiny GRPO runs on a letter-sorting task, on one CPU thread, and keep their trainer states.

The runs are real: TRL's ``GRPOTrainer`` samples completions, scores them with an exact-match reward and updates a
83,392-parameter model for 500 optimizer steps. The six ``trainer_state.json`` files bundled with rlscale were
written by this script.

Task
    The prompt is 4, 5, 7 or 9 letters of ``abcdefghij`` followed by ``>``; the answer is the same letters sorted.
    The reward is 1 for the exact answer followed by end-of-sequence, else 0.
Model
    Qwen2 built from a configuration (hidden 64, 2 layers, 4 heads, MLP 128, tied embeddings), with one token per
    character. Nothing is downloaded.
Warm start
    110 supervised steps on lengths 4, 5 and 7 with 12% of the answer letters replaced by random ones, for a starting
    reward of 0.20. Trained once, stored in ``OUT/warm_start.pt`` and shared, so all runs start from the same weights.
Pools
    There are 10^4, 10^5, 10^7 and 10^9 strings of length 4, 5, 7 and 9. Evaluation takes 250 of each length (1,000
    prompts) and training another 5,000 of each (20,000 prompts), drawn without replacement, so both have the same
    length mix, and they share no prompt. Of the smallest pool, length 4, 5,250 of 10,000 strings are used. A run of
    500 steps x 32 prompts reads 16,000 training prompts, each once. The warm start never sees an evaluation prompt.
Evaluation
    Every 10 steps, step 0 included. Each prompt has one correct answer, so the teacher-forced probability
    P(answer + end-of-sequence | prompt) is the expected pass@1 at temperature 1, free of sampling noise. An answer
    that does not fit in the completion limit scores 0.
Recipes
    ``base`` (at most 8 new tokens, learning rate 3e-4), ``long10`` (at most 10 new tokens) and ``lr1.5e-4``
    (learning rate 1.5e-4).
Known ceiling
    A 9-letter answer needs 10 tokens. With at most 8, a quarter of the prompts cannot be solved: the ceiling of
    ``base`` and ``lr1.5e-4`` is exactly 0.75. That of ``long10`` is 1.

Install and run (about 85 to 125 seconds a run on one thread of a server CPU)::

    pip install torch==2.13.0 trl==1.16.0 transformers==5.23.0 accelerate==1.15.0 datasets==5.2.0
    python train_sort_task.py --out runs                          # all six
    python train_sort_task.py --out runs --recipe base --seed 0   # one of them

Also used: Python 3.11, tokenizers 0.23.3, numpy 2.4.6. On other versions or another CPU the numbers differ in detail.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    PrinterCallback,
    Qwen2Config,
    Qwen2ForCausalLM,
    TrainerCallback,
    set_seed,
)
from transformers.trainer_utils import speed_metrics
from trl import GRPOConfig, GRPOTrainer

LETTERS = "abcdefghij"
EOS = "<eos>"
VOCABULARY = {token: index for index, token in enumerate([EOS, ">", *LETTERS])}
LENGTHS = (4, 5, 7, 9)
WARM_LENGTHS = (4, 5, 7)
WARM_NOISE = 0.12
EVAL_PER_LENGTH = 250
TRAIN_PER_LENGTH = 5_000
DATA_SEED = 20_261_122
IGNORED = -100


@dataclass(frozen=True)
class Recipe:
    """The settings that differ between recipes.

    ``max_completion_length`` counts new tokens, end-of-sequence included; ``learning_rate`` is that of AdamW.
    """

    max_completion_length: int
    learning_rate: float


RECIPES = {
    "base": Recipe(max_completion_length=8, learning_rate=3e-4),
    "long10": Recipe(max_completion_length=10, learning_rate=3e-4),
    "lr1.5e-4": Recipe(max_completion_length=8, learning_rate=1.5e-4),
}

#: The recipes of the live tournaments: one can reach 1, two stop at 0.75, one of them slowly, and one breaks.
TOURNAMENT = {
    "long10": RECIPES["long10"],
    "base": RECIPES["base"],
    "slow": Recipe(max_completion_length=8, learning_rate=1e-4),
    "hot": Recipe(max_completion_length=8, learning_rate=1.5e-3),
}


@dataclass(frozen=True)
class Pools:
    """Disjoint unsorted strings, without the closing ``>``, in equal numbers of each length."""

    train: list[str]
    evaluation: list[str]


@dataclass(frozen=True)
class Encoded:
    """Prompts with their answers, as right-padded token matrices of shape (rows, tokens).

    Attributes
    ----------
    ids
        Prompt, answer and, where it fits, end-of-sequence.
    labels
        The tokens whose probability counts; ``IGNORED`` elsewhere.
    fits
        Shape (rows,): whether the answer fits in the completion limit.
    """

    ids: torch.Tensor
    labels: torch.Tensor
    fits: torch.Tensor


def random_string(length: int, rng: random.Random) -> str:
    """Return ``length`` letters drawn with replacement."""
    return "".join(rng.choices(LETTERS, k=length))


def build_pools() -> Pools:
    """Draw the training and evaluation strings, without replacement, by length."""
    rng = random.Random(DATA_SEED)
    train: list[str] = []
    evaluation: list[str] = []
    for length in LENGTHS:
        distinct: dict[str, None] = {}
        while len(distinct) < EVAL_PER_LENGTH + TRAIN_PER_LENGTH:
            distinct[random_string(length, rng)] = None
        strings = list(distinct)
        evaluation += strings[:EVAL_PER_LENGTH]
        train += strings[EVAL_PER_LENGTH:]
    return Pools(train, evaluation)


def sorted_letters(string: str) -> str:
    """Return the correct answer."""
    return "".join(sorted(string))


def noisy_answer(string: str, rng: random.Random) -> str:
    """Return the correct answer with some letters replaced by random ones."""
    return "".join(rng.choice(LETTERS) if rng.random() < WARM_NOISE else c for c in sorted_letters(string))


def as_dataset(strings: list[str]) -> Dataset:
    """Return the columns ``prompt`` and ``answer`` that the trainer and the reward function read."""
    return Dataset.from_dict({"prompt": [f"{s}>" for s in strings], "answer": [sorted_letters(s) for s in strings]})


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer with one token per character; padding is the end-of-sequence token."""
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token=EOS))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=EOS, pad_token=EOS, padding_side="left")


def build_model() -> Qwen2ForCausalLM:
    """Return a freshly initialised model of 83,392 parameters."""
    config = Qwen2Config(
        vocab_size=len(VOCABULARY),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=VOCABULARY[EOS],
        pad_token_id=VOCABULARY[EOS],
    )
    return Qwen2ForCausalLM(config)


def encode(strings: list[str], answers: list[str], limit: int) -> Encoded:
    """Turn prompts and answers into token matrices.

    Parameters
    ----------
    strings
        Unsorted letters, one string a row.
    answers
        What should follow the prompt, one a row.
    limit
        Completion limit in tokens. End-of-sequence is left out where the answer fills the limit exactly.
    """
    width = max(len(s) for s in strings) + 1 + max(len(a) for a in answers) + 1
    ids = torch.full((len(strings), width), VOCABULARY[EOS])
    labels = torch.full_like(ids, IGNORED)
    for row, (string, answer) in enumerate(zip(strings, answers, strict=True)):
        prompt = [VOCABULARY[c] for c in f"{string}>"]
        target = [VOCABULARY[c] for c in answer] + [VOCABULARY[EOS]] * (len(answer) < limit)
        end = len(prompt) + len(target)
        ids[row, :end] = torch.tensor(prompt + target)
        labels[row, len(prompt) : end] = torch.tensor(target)
    return Encoded(ids, labels, torch.tensor([len(a) <= limit for a in answers]))


@torch.no_grad()
def answer_probability(model: torch.nn.Module, encoded: Encoded) -> torch.Tensor:
    """Return the probability of each answer given its prompt at temperature 1, shape (rows,).

    The causal mask keeps the padding on the right from reaching any counted token.
    """
    logits = model(input_ids=encoded.ids).logits[:, :-1].float()
    targets = encoded.labels[:, 1:]
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none")
    return torch.exp(-losses.sum(dim=1)) * encoded.fits


def train_warm_start(excluded: set[str], steps: int = 110, batch: int = 128) -> dict[str, torch.Tensor]:
    """Train the shared starting weights on slightly wrong answers.

    Parameters
    ----------
    excluded
        Strings that must not be seen: the evaluation prompts.
    steps, batch
        Optimizer steps, and examples drawn afresh for each.
    """
    set_seed(0)
    rng = random.Random(0)
    model = build_model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(steps):
        strings: list[str] = []
        while len(strings) < batch:
            string = random_string(rng.choice(WARM_LENGTHS), rng)
            if string not in excluded:
                strings.append(string)
        answers = [noisy_answer(string, rng) for string in strings]
        encoded = encode(strings, answers, limit=max(WARM_LENGTHS) + 1)
        loss = model(input_ids=encoded.ids, labels=encoded.labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.state_dict()


def load_warm_start(path: Path, excluded: set[str]) -> dict[str, torch.Tensor]:
    """Return the starting weights, training and storing them at ``path`` if they are not there yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(train_warm_start(excluded), path)
    return torch.load(path, weights_only=True)


def exact_match(completions: list[str], answer: list[str], **_: object) -> list[float]:
    """Reward 1.0 for the exact answer, else 0.0; TRL passes the ``answer`` column by name."""
    return [float(completion == right) for completion, right in zip(completions, answer, strict=True)]


class ExactEvalTrainer(GRPOTrainer):
    """``GRPOTrainer`` whose evaluation is the exact expected reward instead of a sampled one."""

    def evaluate(
        self, eval_dataset: Dataset | None = None, metric_key_prefix: str = "eval", **_: object
    ) -> dict[str, float]:
        """Log the mean answer probability as ``eval_reward``, with the usual speed metrics."""
        dataset = self.eval_dataset if eval_dataset is None else eval_dataset
        start = time.time()
        self.model.eval()
        strings = [prompt.removesuffix(">") for prompt in dataset["prompt"]]
        encoded = encode(strings, dataset["answer"], self.args.max_completion_length)
        metrics = {f"{metric_key_prefix}_reward": answer_probability(self.model, encoded).mean().item()}
        metrics.update(speed_metrics(metric_key_prefix, start, num_samples=len(strings), num_steps=1))
        self.log(metrics)
        self.model.train()
        print(f"step {self.state.global_step}: {metrics[f'{metric_key_prefix}_reward']:.4f}", flush=True)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def grpo_config(recipe: Recipe, seed: int, steps: int, output: Path) -> GRPOConfig:
    """Return the trainer's settings: 32 prompts x 8 completions a step, no KL penalty, 32-bit floats."""
    return GRPOConfig(
        output_dir=str(output),
        seed=seed,
        max_steps=steps,
        per_device_train_batch_size=256,
        per_device_eval_batch_size=256,
        num_generations=8,
        max_completion_length=recipe.max_completion_length,
        temperature=1.0,
        beta=0.0,
        loss_type="dapo",
        scale_rewards="group",
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=10,
        adam_beta2=0.99,
        weight_decay=0.0,
        max_grad_norm=1.0,
        bf16=False,
        gradient_checkpointing=False,
        use_cpu=True,
        logging_steps=10,
        eval_strategy="steps",
        eval_steps=10,
        eval_on_start=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def make_trainer(
    settings: GRPOConfig,
    pools: Pools,
    start: dict[str, torch.Tensor] | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> ExactEvalTrainer:
    """Return a trainer from the weights ``start``, from random ones where there are none."""
    model = build_model()
    if start is not None:
        model.load_state_dict(start)
    trainer = ExactEvalTrainer(
        model=model,
        reward_funcs=exact_match,
        args=settings,
        train_dataset=as_dataset(pools.train),
        eval_dataset=as_dataset(pools.evaluation),
        processing_class=build_tokenizer(),
        callbacks=list(callbacks),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def train_run(settings: GRPOConfig, pools: Pools, start: dict[str, torch.Tensor]) -> None:
    """Train one run from the weights ``start`` and write its ``trainer_state.json``."""
    trainer = make_trainer(settings, pools, start)
    began = time.perf_counter()
    trainer.train()
    trainer.save_state()
    encoded = encode(pools.evaluation, [sorted_letters(s) for s in pools.evaluation], settings.max_completion_length)
    by_length = answer_probability(trainer.model.eval(), encoded).view(len(LENGTHS), -1).mean(dim=1).tolist()
    shown = ", ".join(f"{length}: {value:.3f}" for length, value in zip(LENGTHS, by_length, strict=True))
    print(f"{time.perf_counter() - began:.0f} s; final reward by length {{{shown}}}", flush=True)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the letter-sorting GRPO runs bundled with rlscale.")
    parser.add_argument("--out", type=Path, required=True, help="folder for <recipe>/seed<k>/trainer_state.json")
    parser.add_argument("--recipe", choices=list(RECIPES), help="one recipe (default: all three)")
    parser.add_argument("--seed", type=int, help="one seed (default: 0 and 1)")
    parser.add_argument("--steps", type=int, default=500, help="optimizer steps per run (default: 500)")
    return parser.parse_args()


def main() -> None:
    """Train the chosen runs one after another on one thread."""
    arguments = parse_arguments()
    torch.set_num_threads(1)
    pools = build_pools()
    start = load_warm_start(arguments.out / "warm_start.pt", excluded=set(pools.evaluation))
    for name in [arguments.recipe] if arguments.recipe else RECIPES:
        for seed in (0, 1) if arguments.seed is None else (arguments.seed,):
            print(f"== {name}, seed {seed}", flush=True)
            output = arguments.out / name / f"seed{seed}"
            train_run(grpo_config(RECIPES[name], seed, arguments.steps, output), pools, start)


if __name__ == "__main__":
    main()
