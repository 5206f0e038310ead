"""Printed logs that are recognised and not read: whose they are, why, and the better file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rlscale.errors import FormatError
from rlscale.sources.files import trl_stdout
from rlscale.sources.files.prime_rl_log import is_trainer_row

__all__ = ["PRINTED", "Printed", "printer_of", "unknown"]

_KNOWN = (
    "'step:N - key:value' (verl), 'Global step N: {...}' (OpenRLHF), 'perf N: {...}' (slime), 'Step N:' (SkyRL), "
    "'metrics_tag: {...}' (ROLL), tables (AReaL), 'Step N | Reward ...' (prime-rl) or 'METRICS STEP N' (torchforge)"
)


@dataclass(frozen=True)
class Printed:
    """Rows that a trainer prints and that are not read.

    Parameters
    ----------
    trainer : str
        As in ``Trainer.name``.
    is_row : callable
        Whether a line is one of them.
    advice : str
        Why not, and what to give; empty where the trainer's own module says it.
    """

    trainer: str
    is_row: Callable[[str], bool]
    advice: str = ""


PRINTED = (
    Printed("trl", lambda line: "{'" in line and trl_stdout.is_row(line)),
    Printed(
        "nemo-rl",
        lambda line: "📊" in line and ("Training Results:" in line or "Validation Results:" in line),
        "what NeMo-RL prints is rounded; switch a tracker on (logger.tensorboard_enabled, logger.wandb_enabled) "
        "and give its files",
    ),
    Printed(
        "prime-rl",
        is_trainer_row,
        "the log of prime-rl's trainer holds no reward; give metrics.jsonl or the log of its orchestrator",
    ),
)


def printer_of(line: str) -> Printed | None:
    """Return whose row a line is."""
    if not ("{'" in line or "📊" in line or " |" in line):  # most lines of a log, and this is asked of each
        return None
    return next((printed for printed in PRINTED if printed.is_row(line)), None)


def unknown(path: str, printer: Printed | None) -> FormatError:
    """Return the error of a text log without a line that is read."""
    if printer is None:
        return FormatError(path, f"holds no line {_KNOWN}; give the trainer's metrics log")
    return FormatError(path, printer.advice) if printer.advice else trl_stdout.better_file(Path(path))
