"""The public archives of real runs that forecasts are tested on, where their folder is found, and the bundled runs.

The archives are somebody else's and not part of this project: ``RLSCALE_CURVES`` names their folder (one folder an
archive, with a ``curves.csv`` that ``rlscale`` reads). Without it only the bundled runs are there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rlscale.curves import Run
from rlscale.sources import ReadOptions, bundled, collect

__all__ = ["ARCHIVES", "VALIDATION", "Archive", "archives", "bundled_runs"]


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
    """

    name: str
    what: str
    folder: str
    metric: str
    bounds: tuple[float, float] = (0.0, 1.0)

    def runs(self) -> list[Run]:
        """Read the runs that have the metric; those that cannot be read are left out."""
        options = ReadOptions(metric=self.metric, bounds=self.bounds)
        return list(collect([curves_folder() / self.folder / "curves.csv"], options).runs)


#: The one archive of validation curves: the targets are set on it.
VALIDATION = Archive("kanishkg", "validation accuracy", "kanishkg-countdown-habits", "val_countdown_acc")
_LEETCODE, _TINKER = "rohunagrawal-leetcode-hack", "arvindcr4-tinker-lab"
ARCHIVES = (
    VALIDATION,
    Archive("rohunagrawal mean", "train reward", _LEETCODE, "train_reward_mean", (0.0, 1.25)),
    Archive("rohunagrawal f", "train reward, flat", _LEETCODE, "train_reward_f", (0.0, 1.25)),
    Archive("arvindcr4", "train reward, 16 samples", _TINKER, "train_reward"),
)


def curves_folder() -> Path:
    """Return the folder of the archives: ``RLSCALE_CURVES``, else ``shared/curves`` beside or inside the checkout."""
    root = Path(__file__).resolve().parents[1]
    named = os.environ.get("RLSCALE_CURVES")
    places = [Path(named)] if named else [root.parent / "shared" / "curves", root / "shared" / "curves"]
    return next((place for place in places if place.is_dir()), places[0])


def archives() -> dict[str, list[Run]]:
    """Return the runs of every archive that is there, by its name."""
    return {one.name: one.runs() for one in ARCHIVES if (curves_folder() / one.folder / "curves.csv").exists()}


def bundled_runs() -> list[Run]:
    """Return the six runs that come with the package."""
    return list(collect([bundled()]).runs)
