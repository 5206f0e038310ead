"""The view of an ablation."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.answers.remarks import Remark, read_remarks
from rlscale.answers.settings import Settings
from rlscale.answers.view import View, read_with
from rlscale.decisions.ablation import Ablation
from rlscale.sources import Reading

__all__ = ["AblateView", "ablate_view"]


@dataclass(frozen=True, kw_only=True)
class AblateView(View):
    """The answer of ``ablate``; ``input`` is what was repaired, or is to be known, of the runs read."""

    result: Ablation
    input: tuple[Remark, ...] = ()


def ablate_view(result: Ablation, reading: Reading, settings: Settings | None = None) -> AblateView:
    """Return the view of an ablation of the runs of ``reading``."""
    return AblateView(
        result=result,
        input=read_remarks(reading.runs),
        **read_with(reading, settings),
        left_out=result.left_out,
    )
