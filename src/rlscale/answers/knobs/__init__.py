"""The answers of ``knobs``: the catalogue, a check, a difference, a configuration that is written."""

from rlscale.answers.knobs.catalogue import catalogue_answer
from rlscale.answers.knobs.chart import drawn
from rlscale.answers.knobs.check import check_answer
from rlscale.answers.knobs.diff import diff_answer
from rlscale.answers.knobs.emit import emit_answer
from rlscale.answers.knobs.view import KnobsView

__all__ = ["KnobsView", "catalogue_answer", "check_answer", "diff_answer", "drawn", "emit_answer"]
