"""The view of an ablation."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlscale.answers.remarks import Remark, read_remarks
from rlscale.answers.settings import BadFile, Settings, bad_files
from rlscale.decisions.ablation import Ablation
from rlscale.left_out import LeftOut
from rlscale.sources import Grouping, Reading

__all__ = ["AblateView", "ablate_view"]


@dataclass(frozen=True, kw_only=True)
class AblateView:
    """The answer of ``ablate``; ``input`` is what was repaired, or is to be known, of the runs read."""

    result: Ablation
    input: tuple[Remark, ...] = ()
    errors: tuple[BadFile, ...] = ()
    settings: Settings = field(default_factory=Settings)
    grouping: Grouping | None = None
    left_out: tuple[LeftOut, ...] = ()


def ablate_view(result: Ablation, reading: Reading, settings: Settings | None = None) -> AblateView:
    """Return the view of an ablation of the runs of ``reading``."""
    return AblateView(
        result=result,
        input=read_remarks(reading.runs),
        errors=bad_files(reading.errors),
        settings=settings or Settings(),
        grouping=reading.grouping,
        left_out=result.left_out,
    )
