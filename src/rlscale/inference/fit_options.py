"""How to fit, as every command takes it."""

from __future__ import annotations

from dataclasses import dataclass
from pickle import PicklingError

import numpy as np

from rlscale.curves.value import Value
from rlscale.errors import InputError
from rlscale.inference.correction import Correction
from rlscale.inference.families import AVERAGED, Family, families_for, name_of
from rlscale.inference.forecast import TOLERANCE
from rlscale.inference.posterior import default_model_error
from rlscale.inference.priors import Priors

__all__ = ["FitOptions"]


@dataclass(frozen=True, kw_only=True)
class FitOptions(Value):
    """How to fit, shared by every command.

    Parameters
    ----------
    families : tuple of Family
        Shapes of the curve, averaged by their evidence.
    model_error : float, optional
        ``kappa``, the model error of forecasts, as a share of the range for each e-fold of compute ahead. By default
        ``posterior.default_model_error`` of the families: several learn it from the curve, None. The default average
        with a model error that is given is that of the saturating families alone, without the flat one.
    tolerance : float
        Half-width of an acceptable answer, as a share of the range.
    at_least : float, optional
        A reward whose probability each forecast reports.
    onset : bool
        Leave out the early evaluations where the later ones are foretold better without them (``--from auto``).
    priors : Priors, optional
        By default those that go with the model error.
    health : bool
        Let alarms of monitors bear on the fit, of runs whose logs hold their series (``inference.masking``).
    correction : Correction, optional
        Of all forecasts, as measured on finished runs like these (``rlscale.Calibration``).

    Raises
    ------
    InputError
        A negative model error, or a tolerance that is not above 0.
    """

    families: tuple[Family, ...] = AVERAGED
    model_error: float | None = None
    tolerance: float = TOLERANCE
    at_least: float | None = None
    onset: bool = False
    health: bool = True
    priors: Priors | None = None
    correction: Correction | None = None

    @property
    def family(self) -> str:
        """Name of the family, or of the average of several."""
        return name_of(self.families)

    def require_portable(self) -> None:
        """Raise :class:`InputError` where another process cannot take these options: families of functions by hand."""
        from multiprocessing.reduction import ForkingPickler

        try:
            ForkingPickler.dumps(self)
        except (PicklingError, AttributeError, TypeError) as error:
            raise InputError(
                f"the families of {self.family!r} cannot be sent to another process ({error}); "
                "define their functions in a module, or give --jobs 1"
            ) from error

    def __post_init__(self) -> None:
        if self.model_error is None:
            object.__setattr__(self, "model_error", default_model_error(self.families))
        object.__setattr__(self, "families", families_for(self.families, self.model_error))
        if self.model_error is not None and not 0.0 <= self.model_error < np.inf:
            raise InputError(f"--model-error {self.model_error:g} is not a size; give 0 or more")
        if self.at_least is not None and not np.isfinite(self.at_least):
            raise InputError(f"--at-least {self.at_least:g} is not a reward; give a finite one")
        if not 0.0 < self.tolerance < np.inf:
            raise InputError(f"--tolerance {self.tolerance:g} is not above 0; give half the width you can accept")
