"""The settings of the estimator that ``out_of_source`` chooses among: every one that was compared stands here."""

from __future__ import annotations

from rlscale.inference import FitOptions
from rlscale.inference.families import AVERAGED, SIGMOID

__all__ = ["CANDIDATES", "FORMER"]

#: By name. Other processes take them from here by name, since the functions of a family cannot be sent.
CANDIDATES: dict[str, FitOptions] = {
    "former": FitOptions(),
    "today": FitOptions(),
    "sigmoid": FitOptions(families=(SIGMOID,)),
    "average, no model error": FitOptions(families=AVERAGED, model_error=0.0),
}
#: What the scores of all are compared with.
FORMER = "former"
