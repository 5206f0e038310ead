"""What a page has beside the blocks of its answer: the slider over the target, and the way through many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rlscale.answers import Answer, Cards, numbers
from rlscale.answers.charts.spec import Panel
from rlscale.answers.overview import ROWS
from rlscale.answers.palette import mark_words
from rlscale.inference import Interval
from rlscale.render.html import SOLE
from rlscale.render.svg import plot_area
from rlscale.serve.query import Query

__all__ = ["Pager", "Slider", "Stop", "Tile", "pager", "slider", "tiles"]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One place of the slider, written out: the page only looks it up.

    Parameters
    ----------
    compute, median, half, wide, verdict, words : str
        The target, the forecast there with its 50 % and 80 % interval, and the verdict on it, as a mark and in words.
    target : str
        As it stands in an address.
    left, low, middle, high : float, optional
        Where the forecast stands in the drawing, in per cent of its width and height; None beyond its edge.
    """

    compute: str
    median: str
    half: str
    wide: str
    verdict: str
    words: str
    target: str
    left: float | None = None
    low: float | None = None
    middle: float | None = None
    high: float | None = None

    @property
    def said(self) -> str:
        """What a screen reader says of it."""
        return f"{self.compute}: {self.median}, 80 % {self.wide}, {self.words}"

    @property
    def plain(self) -> dict[str, Any]:
        """For the script of the page."""
        return {**vars(self), "said": self.said}


@dataclass(frozen=True, kw_only=True)
class Slider:
    """The slider of a run: its stops, and the place where it stands."""

    stops: tuple[Stop, ...]
    place: int

    @property
    def stop(self) -> Stop:
        """The stop where it stands."""
        return self.stops[self.place]

    @property
    def plain(self) -> list[dict[str, Any]]:
        """The stops for the script of the page."""
        return [stop.plain for stop in self.stops]

    @property
    def spans(self) -> list[tuple[str, str, int]]:
        """Verdicts along the slider: mark, words, and over how many stops."""
        return [(mark, words, len(list(stops)))
                for (mark, words), stops in groupby(self.stops, lambda stop: (stop.verdict, stop.words))]  # fmt: skip


def slider(answer: Answer, query: Query) -> Slider | None:
    """Return the slider of a run's page; None where nothing was fitted, and on other pages."""
    rows: Sequence[Mapping[str, Any]] = answer.document.get("slider") or () if query.view == "run" else ()
    if not rows:
        return None
    run = answer.document["runs"][0]
    panel = next((block.cards[0].panel for block in answer.blocks if isinstance(block, Cards) and block.cards), None)
    stops = tuple(_stop(row, run, panel) for row in rows)
    told = run["forecast"]
    wanted = query.target or float(told[0]["compute"] if told else 2.0 * run["compute_last"])
    place = min(range(len(rows)), key=lambda k: abs(_ratio(float(rows[k]["compute"]), wanted)))
    return Slider(stops=stops, place=place)


def _ratio(a: float, b: float) -> float:
    return max(a / b, b / a)


def _stop(row: Mapping[str, Any], run: Mapping[str, Any], panel: Panel | None) -> Stop:
    bounds = (float(run["bounds"][0]), float(run["bounds"][1]))
    half = Interval(row["q25"], row["q50"], row["q75"])
    wide = Interval(row["q10"], row["q50"], row["q90"])
    return Stop(
        compute=numbers.quantity(row["compute"], run["unit"]),
        median=numbers.reward(row["q50"], bounds),
        half=numbers.span(half, bounds),
        wide=numbers.span(wide, bounds),
        verdict=row["verdict"],
        words=mark_words(row["verdict"])[2:],
        target=f"{row['compute']:g}",
        **({} if panel is None else _places(panel, row)),
    )


def _places(panel: Panel, row: Mapping[str, Any]) -> dict[str, float]:
    across = panel.x.position(row["compute"])
    if across > 1.0 + 1e-9:
        return {}
    left, right, top, bottom = plot_area(panel, *SOLE)
    heights = {name: panel.y.position(row[key]) for name, key in (("low", "q10"), ("middle", "q50"), ("high", "q90"))}
    return {
        "left": round(100 * (left + (right - left) * across) / SOLE[0], 3),
        **{name: round(100 * (bottom - (bottom - top) * up) / SOLE[1], 3) for name, up in heights.items()},
    }


@dataclass(frozen=True)
class Pager:
    """The way through rows that one page does not hold.

    Parameters
    ----------
    says : str
        Which rows are shown, of how many.
    before, after : str
        Addresses of the pages before and after this one; empty where there is none.
    """

    says: str
    before: str
    after: str


def pager(answer: Answer, query: Query) -> Pager | None:
    """Return the way to the other rows of a page; None where there are none."""
    document = answer.document
    if query.view == "overview":
        shown, noun, size = len(document.get("shown") or ()), "recipe", ROWS
        first, matching = int(document.get("offset") or 0), int(document.get("matching") or 0)
    else:
        page: Mapping[str, int] = document.get("page") or {}
        shown, first, matching, size = (page.get(name, 0) for name in ("shown", "first", "matching", "rows"))
        noun = "recipe" if query.view == "plan" else "run"
    if not matching or shown >= matching:
        return None
    before = query.url(offset=max(first - size, 0)) if first else ""
    after = query.url(offset=first + shown) if first + shown < matching else ""
    return Pager(f"{first + 1:,}–{first + shown:,} of {numbers.count(matching, noun)}", before, after)


@dataclass(frozen=True)
class Tile:
    """A question that people come with, its answer in a word or two, what to know besides, and where more is said."""

    question: str
    value: str
    says: str
    address: str = ""


def tiles(answer: Answer, query: Query) -> tuple[Tile, ...]:
    """Return what stands above the overview: its answers to the questions that people come with."""
    if query.view != "overview":
        return ()
    document = answer.document
    recipes: Sequence[Mapping[str, Any]] = document["recipes"]
    if not recipes:
        return ()
    return (_leader(recipes), _trust(document), _when(document), *_decided(document, query), *_compute(document, query))


def _leader(recipes: Sequence[Mapping[str, Any]]) -> Tile:
    first = recipes[0]
    p = first.get("p_best")
    return Tile("Leads", first["recipe"], "" if p is None else f"best with probability {numbers.probability(p)}")


def _trust(document: Mapping[str, Any]) -> Tile:
    if document.get("calibration"):
        return Tile("Measured", "yes", "intervals are corrected by runs like these")
    return Tile("Measured", "not yet", "on runs like yours: rlscale backtest PATH, in a terminal")


def _when(document: Mapping[str, Any]) -> Tile:
    recipes = document["recipes"]
    resolved = sum(row["verdict"] == "resolved" for row in recipes)
    value = f"{resolved:,} of {numbers.count(len(recipes), 'recipe')}"
    if recipes[0]["verdict"] == "resolved":
        return Tile("Resolved", value, "the leader is")
    shown: Sequence[Mapping[str, Any]] = document.get("shown", ())
    row = next((row for row in shown if row["recipe"] == recipes[0]["recipe"]), {})
    when = row.get("resolves_at")
    if when is None:
        return Tile("Resolved", value, "the leader is not, and no compute is known")
    later = " or later" if row["resolves_later"] else ""
    by = f"{numbers.quantity(when['q50'], document['unit'])}{later if when['q50'] >= when['q90'] else ''} a run"
    ends = f"{numbers.quantity(when['q10'])}–{numbers.quantity(when['q90'])}{later}"
    return Tile("Resolved", value, f"the leader by {by} (80 %: {ends})")


def _decided(document: Mapping[str, Any], query: Query) -> list[Tile]:
    decided: Mapping[str, int] = document.get("decided") or {}
    if not decided:
        return []
    paused = decided.get("stop", 0) + decided.get("hold", 0)
    names = [name for name in ("stop", "hold", "commit", "continue") if name in decided]
    says = ", ".join(f"{decided[name]:,} {name}" for name in names)
    return [Tile("Paused", numbers.count(paused, "run") if paused else "none", says, query.url(view="decisions"))]


def _compute(document: Mapping[str, Any], query: Query) -> list[Tile]:
    savings = document.get("savings")
    if savings is None:
        spent = document.get("spent")
        return (
            [Tile("Spent", numbers.quantity(spent, document["unit"]), "no budget: nothing is saved")] if spent else []
        )
    said = (
        f"{numbers.quantity(savings['spent'])} spent of {numbers.quantity(savings['planned'])}; "
        f"{numbers.quantity(savings['expected'])} expected in the end"
    )
    money = savings.get("money")
    value = numbers.quantity(savings["saved"], savings["unit"])
    if money and savings["unit"] != "dollars":
        value = f"{numbers.quantity(money['saved'])} dollars"
    return [Tile("Saved so far", value, said, query.url(view="decisions"))]
