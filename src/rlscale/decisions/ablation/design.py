"""The design of an ablation: which settings were tried together, and which effects they can tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run
from rlscale.decisions.ablation.settings import Knob
from rlscale.errors import InputError

__all__ = ["Cell", "Comparison", "Design", "DesignKind", "Factor", "design_of", "weights_of"]

Floats = NDArray[np.float64]

_SOLVED = 1e-7


class DesignKind(StrEnum):
    """How the settings tried relate to one another."""

    LEAVE_ONE_OUT = "leave_one_out"
    SWEEP = "sweep"
    FACTORIAL = "factorial"
    UNBALANCED = "unbalanced"


@dataclass(frozen=True)
class Cell:
    """Runs with equal settings.

    Parameters
    ----------
    levels : tuple of int
        The level of each factor.
    runs : tuple of int
        Places of the runs.
    label : str
        Their recipe or recipes.
    """

    levels: tuple[int, ...]
    runs: tuple[int, ...]
    label: str


@dataclass(frozen=True)
class Factor:
    """A knob, or several that always change together.

    Parameters
    ----------
    knobs : tuple of str
    levels : tuple of tuple of str
        The values of its knobs, level by level.
    numbers : tuple of float, optional
        The levels of a single numeric knob.
    """

    knobs: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    numbers: tuple[float, ...] | None

    @property
    def name(self) -> str:
        """The knob, or the knobs, joined."""
        return " + ".join(self.knobs)

    def value(self, level: int) -> str:
        """Return a level in words."""
        return ", ".join(self.levels[level])


@dataclass(frozen=True)
class Comparison:
    """One level of a factor against the baseline's.

    Parameters
    ----------
    factor, start, end : int
        Places of the factor, of the baseline's level and of the other.
    tangled : tuple of int
        Factors that it cannot be told apart from in these runs; empty where it can.
    """

    factor: int
    start: int
    end: int
    tangled: tuple[int, ...] = ()


@dataclass(frozen=True)
class Design:
    """What was tried.

    Parameters
    ----------
    kind : DesignKind
    factors : tuple of Factor
    cells : tuple of Cell
    baseline : int
        Place of the cell that the others are compared with.
    comparisons : tuple of Comparison
    interactions : tuple of (int, int, int, int)
        Factor and level, factor and level: both were tried with and without the other.
    notes : tuple of str
    """

    kind: DesignKind
    factors: tuple[Factor, ...]
    cells: tuple[Cell, ...]
    baseline: int
    comparisons: tuple[Comparison, ...]
    interactions: tuple[tuple[int, int, int, int], ...]
    notes: tuple[str, ...]


def design_of(runs: Sequence[Run], knobs: Sequence[Knob], baseline: str | None = None) -> Design:
    """Return the design of runs.

    Parameters
    ----------
    runs : sequence of Run
    knobs : sequence of Knob
        Their values in the order of the runs.
    baseline : str, optional
        A run or a recipe; by default the settings that differ in one knob from most others, of equal ones those with
        most runs.

    Raises
    ------
    InputError
        A baseline that is none of the runs, or has several settings.
    """
    factors, levels = _factors(knobs)
    rows: dict[tuple[int, ...], list[int]] = {}
    for k, row in enumerate(zip(*levels, strict=True)):
        rows.setdefault(row, []).append(k)
    cells = tuple(Cell(row, tuple(own), _label([runs[k] for k in own])) for row, own in rows.items())
    first = _baseline(runs, cells, baseline)
    matrix, columns = _matrix(factors, cells, first)
    unseen = _unseen(matrix)
    comparisons = tuple(
        Comparison(f, cells[first].levels[f], level, _tangled(unseen, columns, k))
        for k, (f, level) in enumerate(columns)
    )
    return Design(
        kind=_kind(factors, cells, first),
        factors=factors,
        cells=cells,
        baseline=first,
        comparisons=comparisons,
        interactions=_interactions(factors, cells, first),
        notes=_notes(runs, cells),
    )


def _factors(knobs: Sequence[Knob]) -> tuple[tuple[Factor, ...], list[list[int]]]:
    """Return the factors and the level of each run: knobs that split the runs alike are one."""
    groups: dict[tuple[int, ...], list[Knob]] = {}
    for knob in knobs:
        order = list(dict.fromkeys(knob.values))
        groups.setdefault(tuple(order.index(value) for value in knob.values), []).append(knob)
    factors = []
    for codes, own in groups.items():
        places = [codes.index(level) for level in range(max(codes) + 1)]
        numbers = own[0].numbers if len(own) == 1 else None
        factors.append(
            Factor(
                knobs=tuple(knob.name for knob in own),
                levels=tuple(tuple(knob.values[k] for knob in own) for k in places),
                numbers=None if numbers is None else tuple(numbers[k] for k in places),
            )
        )
    return tuple(factors), [list(codes) for codes in groups]


def _label(runs: Sequence[Run]) -> str:
    recipes = list(dict.fromkeys(run.recipe for run in runs))
    return recipes[0] if len(recipes) == 1 else f"{recipes[0]} and {len(recipes) - 1} more"


def _apart(cell: Cell, other: Cell) -> int:
    return sum(a != b for a, b in zip(cell.levels, other.levels, strict=True))


def _baseline(runs: Sequence[Run], cells: Sequence[Cell], named: str | None) -> int:
    if named is None:
        near = [(sum(_apart(cell, other) == 1 for other in cells), len(cell.runs)) for cell in cells]
        return max(range(len(cells)), key=lambda k: (near[k], -k))
    own = {k for k, run in enumerate(runs) if named in (run.name, run.recipe)}
    if not own:
        names = ", ".join(list(dict.fromkeys(run.recipe for run in runs))[:6])
        raise InputError(f"--baseline {named!r} is no run and no recipe; there are {names}", parameter="baseline")
    places = [k for k, cell in enumerate(cells) if own & set(cell.runs)]
    if len(places) > 1:
        raise InputError(
            f"--baseline {named!r} has runs of {len(places)} different settings; name one of its runs",
            parameter="baseline",
        )
    return places[0]


def _matrix(factors: Sequence[Factor], cells: Sequence[Cell], first: int) -> tuple[Floats, list[tuple[int, int]]]:
    """Return the additive model of the cells, shape (cells, 1 + columns), and factor and level of each column."""
    base = cells[first].levels
    columns = [
        (f, level) for f, factor in enumerate(factors) for level in range(len(factor.levels)) if level != base[f]
    ]
    rows = [[1.0, *(float(cell.levels[f] == level) for f, level in columns)] for cell in cells]
    return np.array(rows), columns


def _unseen(matrix: Floats) -> Floats:
    """Return directions of the effects, shape (d, columns), that could be added and leave every cell as it is."""
    _, value, vectors = np.linalg.svd(matrix)
    return np.asarray(vectors[int(np.count_nonzero(value > _SOLVED * value[0])) :, 1:])


def _tangled(unseen: Floats, columns: Sequence[tuple[int, int]], column: int) -> tuple[int, ...]:
    """Return the factors that the effect of a column cannot be told apart from: none where it can be estimated."""
    own = np.abs(unseen[:, column]) > _SOLVED
    if not own.any():
        return ()
    touched = np.abs(unseen[own]).max(axis=0) > _SOLVED
    factor = columns[column][0]
    return tuple(sorted({f for k, (f, _) in enumerate(columns) if touched[k] and f != factor}))


def weights_of(design: Design, variance: Floats) -> list[Floats | None]:
    """Return how each comparison is a weighted sum of the cells' levels, shape (cells,); None where it is tangled.

    Least squares on the additive model; in a leave-one-out design that is the plain difference of two cells, in a
    factorial one the mean difference over the settings of the other knobs.

    Parameters
    ----------
    design : Design
    variance : array, shape (cells,)
        Of each cell's level; ``inf`` for a cell without a usable run.
    """
    matrix, _ = _matrix(design.factors, design.cells, design.baseline)
    root = 1.0 / np.sqrt(variance)
    solved = np.linalg.pinv(matrix * root[:, None], rcond=_SOLVED) * root
    contrasts: list[Floats | None] = []
    for k, comparison in enumerate(design.comparisons):
        target = np.zeros(matrix.shape[1])
        target[k + 1] = 1.0
        row = np.where(np.abs(solved[k + 1]) > 1e-9, solved[k + 1], 0.0)
        exact = np.allclose(row @ matrix, target, atol=1e-6)
        contrasts.append(row if exact and not comparison.tangled else None)
    return contrasts


def _kind(factors: Sequence[Factor], cells: Sequence[Cell], first: int) -> DesignKind:
    if len(factors) == 1:
        # knobs that all change together are no sweep of any of them
        return DesignKind.SWEEP if len(factors[0].knobs) == 1 else DesignKind.UNBALANCED
    if all(_apart(cell, cells[first]) <= 1 for cell in cells):
        return DesignKind.LEAVE_ONE_OUT
    if len(cells) == np.prod([len(factor.levels) for factor in factors]):
        return DesignKind.FACTORIAL
    return DesignKind.UNBALANCED


def _interactions(
    factors: Sequence[Factor], cells: Sequence[Cell], first: int
) -> tuple[tuple[int, int, int, int], ...]:
    """Return pairs of levels that were tried alone and together, the rest as in the baseline."""
    base, known = cells[first].levels, {cell.levels for cell in cells}

    def at(*changed: tuple[int, int]) -> tuple[int, ...]:
        return tuple(dict(changed).get(f, level) for f, level in enumerate(base))

    return tuple(
        (f, a, g, b)
        for f, g in combinations(range(len(factors)), 2)
        for a in range(len(factors[f].levels))
        for b in range(len(factors[g].levels))
        if a != base[f] and b != base[g] and {at((f, a)), at((g, b)), at((f, a), (g, b))} <= known
    )


def _notes(runs: Sequence[Run], cells: Sequence[Cell]) -> tuple[str, ...]:
    notes = []
    for cell in cells:
        recipes = list(dict.fromkeys(runs[k].recipe for k in cell.runs))
        if len(recipes) > 1:
            notes.append(
                f"{', '.join(recipes[:4])} have the same settings and count as runs of one recipe; if they differ, "
                "state how (--settings)"
            )
    return tuple(notes)
