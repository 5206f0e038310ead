"""All that decisions depend on besides the points and the states of the runs: one frozen value, kept with each look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rlscale.decisions.gate import HOLD, Policy
from rlscale.decisions.gate.outlook import GATE_FIT
from rlscale.decisions.gate.policy import stored
from rlscale.decisions.runs import check_seed_sd
from rlscale.errors import InputError, LedgerError
from rlscale.inference import FitOptions
from rlscale.inference.families import GATED, families_named, name_of
from rlscale.ledger import digest

__all__ = ["WatchSettings"]


@dataclass(frozen=True, kw_only=True)
class WatchSettings:
    """How runs are watched.

    Parameters
    ----------
    budget : float
        Compute that one run may get, in the runs' unit.
    horizon : float, optional
        Compute of one run at which the comparison ends; the budget by default.
    policy : Policy
    options : FitOptions
        Without model error by default: the discrepancy of the policy takes its place.
    seed_sd : float, optional
        Run-to-run sd as a share of the range; learned where a recipe has several runs.
    calibration : str
        What is to be said of the discrepancy.

    Raises
    ------
    InputError
        A budget or a horizon that is none.
    """

    budget: float
    horizon: float | None = None
    policy: Policy = HOLD
    options: FitOptions = GATE_FIT
    seed_sd: float | None = None
    calibration: str = ""

    def __post_init__(self) -> None:
        for name in ("budget", "horizon"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < float("inf"):
                raise InputError(f"--{name} {value:g} is not a compute above 0; give it for one run")
        check_seed_sd(self.seed_sd)

    @property
    def end(self) -> float:
        """The horizon."""
        return self.budget if self.horizon is None else self.horizon

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        fitted = self.options
        return {
            "budget": self.budget,
            "horizon": self.end,
            "policy": asdict(self.policy),
            "family": name_of(fitted.families),
            "model_error": fitted.model_error,
            "tolerance": fitted.tolerance,
            "at_least": fitted.at_least,
            "onset": fitted.onset,
            "health": fitted.health,
            "seed_sd": self.seed_sd,
            "calibration": self.calibration,
        }

    @property
    def hash(self) -> str:
        """What the settings are kept under."""
        return digest(self.document())

    @staticmethod
    def of(document: Mapping[str, Any]) -> WatchSettings:
        """Return the settings that :meth:`document` wrote.

        Raises
        ------
        LedgerError
            A document of something else.
        """
        try:
            return WatchSettings(
                budget=document["budget"],
                horizon=document["horizon"],
                policy=stored(document["policy"]),
                options=FitOptions(
                    families=families_named(document["family"], GATED), model_error=document["model_error"],
                    tolerance=document["tolerance"], at_least=document["at_least"], onset=document["onset"],
                    health=document.get("health", False),  # looks of earlier releases knew no alarms
                ),
                seed_sd=document["seed_sd"],
                calibration=document["calibration"],
            )  # fmt: skip
        except (KeyError, TypeError) as error:
            raise LedgerError(f"the settings kept are not those of a gate of this release ({error})") from error
