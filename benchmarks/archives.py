"""The public archives of real runs that forecasts are tested on, where their folder is found, and the bundled runs.

The archives are somebody else's and not part of this project: ``RLSCALE_CURVES`` names their folder (one folder an
archive, with a ``curves.csv`` that ``rlscale`` reads). Without it only the bundled runs are there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rlscale.curves import Run
from rlscale.sources import ReadOptions, bundled, collect
from rlscale.trust.backtest import MIN_RUN

__all__ = ["ARCHIVES", "SOURCES", "VALIDATION", "Archive", "archives", "bundled_runs", "curves_folder", "replayed"]


@dataclass(frozen=True)
class Archive:
    """One metric of one archive.

    Parameters
    ----------
    name : str
        How tables call it.
    what : str
        What its rewards are.
    folder, metric : str
    bounds : (float, float)
        Of the metric.
    validation : bool
        Whether the rewards are of a validation set, not of train batches.
    least : int
        Evaluations a run has at least to be backtested.
    """

    name: str
    what: str
    folder: str
    metric: str
    bounds: tuple[float, float] = (0.0, 1.0)
    validation: bool = False
    least: int = MIN_RUN

    @property
    def present(self) -> bool:
        """Whether the archive is there."""
        return (curves_folder() / self.folder / "curves.csv").exists()

    def runs(self) -> list[Run]:
        """Read the runs that have the metric; those that cannot be read are left out."""
        options = ReadOptions(metric=self.metric, bounds=self.bounds)
        return list(collect([curves_folder() / self.folder / "curves.csv"], options).runs)


#: The archive that the targets of ``forecast`` are set on.
VALIDATION = Archive(
    "kanishkg", "validation accuracy", "kanishkg-countdown-habits", "val_countdown_acc", validation=True
)
_LEETCODE, _TINKER = "rohunagrawal-leetcode-hack", "arvindcr4-tinker-lab"
ARCHIVES = (
    VALIDATION,
    Archive("rohunagrawal mean", "train reward", _LEETCODE, "train_reward_mean", (0.0, 1.25)),
    Archive("rohunagrawal f", "train reward, flat", _LEETCODE, "train_reward_f", (0.0, 1.25)),
    Archive("arvindcr4", "train reward, 16 samples", _TINKER, "train_reward"),
)

_CREEP, _MAZE, _PINE = "creep-math", "maze-curricula", "pine-rlvp-agentic"
#: What settings are chosen on, leaving one folder out (``out_of_source``). Two more validation metrics of the agentic
#: runs have 6 evaluations: no cut leaves four of them and three to come.
SOURCES = (
    VALIDATION,
    Archive("creep-math", "validation reward", _CREEP, "val_reward", validation=True),
    Archive("maze mean", "validation success, all levels", _MAZE, "val_mean_success", validation=True),
    Archive("maze level 4", "validation success, a level", _MAZE, "val_level4_success", validation=True),
    Archive("pine validation", "validation success", _PINE, "val_chain4_success", validation=True, least=10),
    Archive("rohunagrawal mean", "train reward", _LEETCODE, "train_reward_mean", (0.0, 1.25)),
    Archive("rohunagrawal g", "train reward, gameable", _LEETCODE, "train_reward_g", (0.0, 1.25)),
    Archive("arvindcr4", "train reward, 16 samples", _TINKER, "train_reward"),
    Archive("pine train", "train success", _PINE, "train_success"),
)


#: Archives that gates are replayed on, with the evaluations that the runs taken have; None takes those that went on for
#: three quarters of what the middle one did, 0 takes all, of all lengths.
_REPLAYED = {"kanishkg": 0, "creep-math": None, "maze mean": None, "pine train": 60, "rohunagrawal mean": 0}


def replayed() -> dict[str, list[Run]]:
    """Return the runs of the archives that are there to replay gates on, by the archive's name."""
    found = {}
    for one in SOURCES:
        if one.name not in _REPLAYED or not one.present:
            continue
        asked = _REPLAYED[one.name]
        runs = [run for run in one.runs() if run.curve.n_points >= MIN_RUN]
        least = 0.75 * float(np.median([run.curve.compute_last for run in runs])) if asked is None else 0.0
        found[one.name] = [
            run for run in runs if run.curve.compute_last >= least and (not asked or run.curve.n_points == asked)
        ]
    return found


def curves_folder() -> Path:
    """Return the folder of the archives: ``RLSCALE_CURVES``, else ``shared/curves`` beside or inside the checkout."""
    root = Path(__file__).resolve().parents[1]
    named = os.environ.get("RLSCALE_CURVES")
    places = [Path(named)] if named else [root.parent / "shared" / "curves", root / "shared" / "curves"]
    return next((place for place in places if place.is_dir()), places[0])


def archives() -> dict[str, list[Run]]:
    """Return the runs of every archive that is there, by its name."""
    return {one.name: one.runs() for one in ARCHIVES if one.present}


def bundled_runs() -> list[Run]:
    """Return the six runs that come with the package."""
    return list(collect([bundled()]).runs)
