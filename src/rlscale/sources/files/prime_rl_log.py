"""prime-rl's orchestrator log: a line ``Step N | ... | Reward ... | ...`` a step, a line ``Evaluated ENV ...`` each.

Up to 0.5 fields are ``Reward: 0.3100`` and an evaluation is ``Evaluated ENV in 61.20s (Avg@8=0.3000, ...)``, printed in
the step that it is of; later they are ``Reward 0.3100``, and an evaluation names its step or the version of its policy.
Lines of the trainer, where they stand in the same file, are rows of their own.
"""

from __future__ import annotations

import re

from rlscale.sources.files.dialect import Dialect, unframed
from rlscale.sources.history import History
from rlscale.sources.repair import number
from rlscale.sources.trainers.prime_rl import PRIME_RL

__all__ = ["PrimeRlLog", "is_trainer_row"]

_NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|\.\d++|nan)"
_STEP = re.compile(r"(?<![\w/(])(?:Train s|S)tep (\d{1,15}) \|(.*)", re.DOTALL)
_FIELD = re.compile(rf"\s*([A-Za-z][A-Za-z. -]{{1,40}}?):?\s+({_NUMBER})(%?)(?![\w.])")
_TIME = re.compile(r"\s*(?:Time: )?((?:\d{1,9}(?:\.\d{1,9})?(?:ms|[dhms])\s*){1,4})")
_PART = re.compile(r"([\d.]+)(ms|[dhms])")
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_EVALUATED = re.compile(r"(?<!\w)Evaluated (\S.{0,200}?) in [\d.dhms ]{2,40} \((.*)", re.DOTALL)
_MARKS = re.compile(rf"(Avg|Pass)@(\d{{1,9}})[=:] ?({_NUMBER})")
_SCORE = re.compile(rf"Score=({_NUMBER})")
_BESIDE = re.compile(rf"(Completion Length|Truncated|No-response): ({_NUMBER})(%?)")
_LATER = re.compile(
    r"(?<!\w)Evaluated (\S.{0,200}?)(?: \(Step (\d{1,15})\))? \|(?: Policy v(\d{1,15}) \|)?(.*)", re.DOTALL
)

#: What a field of a step is called in metrics.jsonl.
_NAMES = {
    "Reward": "reward/all/mean",
    "Val. Reward": "val_reward/mean",
    "Seq. Length": "seq_len/all/mean",
    "Turns": "num_turns/all/mean",
    "Error": "error/all/mean",
    "Truncation": "is_truncated/all/mean",
    "Max Off-Policy": "off_policy/max",
    "Max. Off-Policy Level": "off_policy/max",
}
_OF_TRAINER = {
    "Loss": "loss/mean",
    "Entropy": "entropy/all/mean",
    "Mismatch KL": "mismatch_kl/all/mean",
    "Grad. Norm": "optim/grad_norm",
    "LR": "optim/lr",
}
#: ... and of an evaluation.
_OF_EVALUATION = {
    "Reward": "reward/mean",
    "Turns": "num_turns/mean",
    "Error": "error/mean",
    "Truncation": "is_truncated/mean",
    "Completion Length": "completion_len/avg",
    "Truncated": "is_truncated/mean",
    "No-response": "no_response/mean",
}


class PrimeRlLog(Dialect):
    """The steps and evaluations of an orchestrator's log."""

    name = "prime-rl-log"
    trainer = PRIME_RL

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._waiting: dict[str, float] = {}  # evaluations of the step that is under way
        self._before: list[tuple[float, dict[str, float]]] = []  # evaluations before the first step
        self._last = -1.0

    def feed(self, position: int, line: str) -> None:
        """Take the next line; of one without its end the last field may be cut."""
        if self.torn is not None:
            self.refuse_torn(line)
        if " |" in line and "tep " in line and (match := _STEP.search(unframed(line))) is not None:
            if line.endswith("\n"):
                self._take_step(float(match[1]), match[2])
            elif self.rows:
                self.tear(position, float(match[1]), "its end is missing")
        elif "Evaluated " in line and line.endswith("\n"):
            self._take_evaluation(unframed(line))

    def _take_step(self, step: float, text: str) -> None:
        values = _fields(text, _NAMES)
        if "reward/all/mean" in values and (len(values) > 1 or "Throughput" in text or "Trainable" in text):
            self._last = step
            if not self.rows:
                for at, row in self._before:
                    self.add(at, row)
                self._before = []
            if self._waiting:
                self.add(step, self._waiting)
                self._waiting = {}
            seconds = next((found for field in text.split("|") if (found := _seconds(field)) is not None), None)
            self.add(step, values if seconds is None else {**values, "time/step": seconds})
        elif self.rows and (trained := _fields(text, _OF_TRAINER)):
            self.add(step, trained)

    def _take_evaluation(self, line: str) -> None:
        match = _EVALUATED.search(line)
        if match is not None:
            self._waiting.update(_marks(match[1], match[2]))
            return
        match = _LATER.search(line)
        if match is None:
            return
        values = {f"eval/{match[1]}/{key}": value for key, value in _fields(match[4], _OF_EVALUATION).items()}
        step = match[2] or match[3]
        if not values:
            return
        if step is None:
            self._waiting.update(values)
        elif self.rows:
            self.add(float(step), values)
        else:
            self._before.append((float(step), values))

    def histories(self, form: str) -> list[History]:
        """Return the runs of the rows; evaluations after the last step came when all were done."""
        if self._waiting and self.rows:
            self.add(self._last + 1, self._waiting)
            self._waiting = {}
        return super().histories(form)


def is_trainer_row(line: str) -> bool:
    """Whether a line is a step of prime-rl's trainer, which knows no reward."""
    match = _STEP.search(line) if " |" in line and "tep " in line else None
    return match is not None and {"loss/mean", "optim/grad_norm"} <= _fields(match[2], _OF_TRAINER).keys()


def _fields(text: str, names: dict[str, str]) -> dict[str, float]:
    """Return the known fields of a line, percentages as shares."""
    values: dict[str, float] = {}
    for field in text.split("|"):
        match = _FIELD.match(field)
        key = names.get(match[1]) if match is not None else None
        value = number(match[2]) if match is not None else None
        if match is not None and key is not None and value is not None:
            values[key] = value / 100 if match[3] else value
    return values


def _seconds(field: str) -> float | None:
    match = _TIME.fullmatch(field)
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(match[1])) if match is not None else None


def _marks(env: str, text: str) -> dict[str, float]:
    """Return what an evaluation in parentheses says."""
    values = {f"{kind.lower()}@{k}": number(shown) for kind, k, shown in _MARKS.findall(text)}
    score = _SCORE.search(text)
    if score is not None:
        values["score"] = number(score[1])
    for name, shown, percent in _BESIDE.findall(text):
        value = number(shown)
        values[_OF_EVALUATION[name]] = value / 100 if percent and value is not None else value
    return {f"eval/{env}/{key}": value for key, value in values.items() if value is not None}
