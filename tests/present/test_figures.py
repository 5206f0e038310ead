from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.errors import InputError
from rlscale.inference import Fit, VerdictName, fit
from rlscale.present.fans import fan
from rlscale.present.figures import check_figure, write_figure
from rlscale.present.views import RankView, fit_view


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_ranking_is_drawn(ending: str, tmp_path: Path, odd_fits: tuple[Fit, ...], odd_ranking: RankView) -> None:
    path = tmp_path / f"f.{ending}"
    write_figure(odd_ranking, odd_fits, path)
    assert path.stat().st_size > 10_000


def test_single_and_many_fits_are_drawn(tmp_path: Path, odd_fits: tuple[Fit, ...]) -> None:
    for count in (1, 14):
        fits = (odd_fits[0],) * count
        path = tmp_path / f"{count}.png"
        write_figure(fit_view(fits), fits, path)
        assert path.read_bytes().startswith(b"\x89PNG")


def test_svg_is_the_same_every_time(tmp_path: Path, odd_fits: tuple[Fit, ...]) -> None:
    fits = odd_fits[:1]
    for name in ("a.svg", "b.svg"):
        write_figure(fit_view(fits), fits, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


def test_other_endings_are_refused() -> None:
    with pytest.raises(InputError, match=r"\.pdf is not a chart; end the name in \.png or \.svg"):
        check_figure(Path("f.pdf"))


def test_missing_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'rlscale\[plot\]'"):
        check_figure(Path("f.png"))


def test_a_fan_begins_where_the_current_regime_does() -> None:
    compute = 10.0 * np.arange(41)
    wiggle = 0.004 * np.sin(np.arange(41.0) ** 2)
    jumped = fit(Curve(compute=compute, reward=np.where(compute < 200.0, 0.2, 0.6) + wiggle))
    assert jumped.verdict.name == VerdictName.REGIME_CHANGE
    drawn = fan(jumped)
    assert drawn.grid[0] == pytest.approx(200.0)
    assert drawn.first == 10.0
    assert drawn.used == tuple(compute >= 200.0)
