from __future__ import annotations

from collections.abc import Callable
from os import environ
from pathlib import Path

import pytest

from rlscale.answers.settings import BadFile, Settings
from rlscale.answers.views import RankView, rank_view
from rlscale.decisions import rank
from rlscale.inference import Fit, fit
from tests.answers.made import odd_runs

GOLDEN = Path(__file__).parents[1] / "golden" / "answers"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare with a golden file; RLSCALE_REGENERATE=1 writes it anew."""

    def check(name: str, content: str) -> None:
        path = GOLDEN / name
        if environ.get("RLSCALE_REGENERATE"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="\n")
        assert content == path.read_text(encoding="utf-8"), f"{name} changed; RLSCALE_REGENERATE=1 accepts it"

    return check


@pytest.fixture(scope="session")
def odd_fits() -> tuple[Fit, ...]:
    return tuple(fit(run) for run in odd_runs())


@pytest.fixture(scope="session")
def odd_ranking(odd_fits: tuple[Fit, ...]) -> RankView:
    settings = Settings(command="rlscale rank '<i>'", options={"family": "sigmoid"})
    return rank_view(rank(odd_fits), odd_fits, [BadFile("<script>.csv", "torn & lost")], settings)
