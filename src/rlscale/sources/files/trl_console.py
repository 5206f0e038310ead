"""What TRL prints behind a progress bar, ``3%|# | 10/300 [...]{'loss': ...}``: the bar holds the step of the row."""

from __future__ import annotations

import re
from pathlib import Path

from rlscale.sources.files.dialect import Dialect
from rlscale.sources.files.literal import numbers_of
from rlscale.sources.files.trl_stdout import better_file, is_row
from rlscale.sources.history import History
from rlscale.sources.text import were
from rlscale.sources.trainers.trl import TRL

__all__ = ["TrlConsole"]

#: A bar of tqdm: what is done, and of how much.
_BAR = re.compile(r"\|\s{0,4}(\d{1,12})/(\d{1,12}) \[")

#: A reward with more digits than the four that later versions print.
_EXACT = re.compile(r"'(?:eval_)?reward': -?\d+\.(?:\d{5,}|\d+e)")


class TrlConsole(Dialect):
    """Rows that stand at the step of the bar of training; evaluations have a bar of their own, which is passed over.

    Rewards are read only where they are printed in full: later versions round them to four digits.
    """

    name = "trl-console"
    trainer = TRL

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._done: dict[int, float] = {}  # by the total of each bar
        self._first: dict[int, float] = {}  # the same, where each bar began
        self._training: dict[int, float] = {}  # where it stood before an evaluation of its total began
        self._total: int | None = None  # of the bar of training
        self._waiting: list[tuple[dict[int, float], dict[str, float]]] = []  # evaluations before it is known
        self._exact = False
        self._without_step = 0

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        if self.torn is not None:
            self.refuse_torn(line)
        if "|" in line:
            for done, total in _BAR.findall(line):
                self._move(float(done), int(total))
        if "{'" not in line or not is_row(line):
            return
        start = line.index("{'")
        values, end = numbers_of(line, start)
        if "train_runtime" in values:
            return
        before = _BAR.findall(line[:start])
        evaluation = any(key.startswith("eval_") for key in values)
        if before and not evaluation:
            self._total = int(before[-1][1])
            self._training.pop(self._total, None)
            self._place()
        if self._total is None and evaluation and self._done and end >= 0:
            self._exact = self._exact or _EXACT.search(line) is not None
            self._waiting.append((dict(self._done), values))
            return
        total = self._total if self._total is not None else max(self._done, default=None)
        if total is None:
            self._without_step += 1
        elif end < 0:
            self.tear(position, self._at(total, evaluation), "its dictionary has no closing brace")
        else:
            self._exact = self._exact or _EXACT.search(line) is not None
            self.add(self._at(total, evaluation), values)

    def _move(self, done: float, total: int) -> None:
        """Take where a bar stands; a bar of evaluation may have the total of that of training."""
        if done < self._done.get(total, 0.0):
            self._training.setdefault(total, self._done[total])
        self._first.setdefault(total, done)
        self._done[total] = done

    def _at(self, total: int, evaluation: bool) -> float:
        """Return the step of a row: that of training before the bar of an evaluation began."""
        return self._training.get(total, self._done[total]) if evaluation else self._done[total]

    def _place(self) -> None:
        """Give the evaluations before the first row of training their steps."""
        waiting, self._waiting = self._waiting, []
        total = self._total if self._total is not None else max(self._done, default=0)
        for done, values in waiting:
            step = done.get(total, 0.0)
            ended = step == total and self._first.get(total, step) < total  # the bar of an evaluation of that total
            self.add(self._first[total] if ended else step, values)

    def histories(self, form: str) -> list[History]:
        """Return the runs of the rows.

        Raises
        ------
        FormatError
            The rewards are rounded.
        SourceError
            A row in the middle is torn.
        """
        self._place()
        if not self._exact:
            raise better_file(Path(self.path))
        if self._without_step:
            self.sealed.append(f"{were(self._without_step, 'row')} left out: no step is printed before them")
            self._without_step = 0
        return super().histories(form)
