"""``rlscale sources``: what can be read, and the canonical metric table."""

from __future__ import annotations

import importlib.util
from typing import Any

from rich.console import Console
from rich.text import Text

from rlscale.errors import InputError
from rlscale.render.layout import plain_table, print_list, print_wrapped
from rlscale.sources.format import Entry
from rlscale.sources.formats import entries
from rlscale.sources.trainers import CANONICAL, TRAINERS, Key, Trainer

__all__ = ["metrics_document", "print_metrics", "print_sources", "sources_document"]

#: The package that an extra brings.
_PACKAGES = {"parquet": "pyarrow", "wandb": "wandb", "postgres": "psycopg"}


def _here(entry: Entry) -> bool:
    return not entry.extra or importlib.util.find_spec(_PACKAGES[entry.extra]) is not None


def _install(entry: Entry) -> str | None:
    return None if not entry.extra else f"pip install 'rlscale[{entry.extra}]'"


def sources_document() -> dict[str, Any]:
    """Return the JSON document of ``sources``."""
    return {
        "schema": 1,
        "sources": [
            {
                "name": one.name,
                "title": one.title,
                "give": one.give,
                "extra": one.extra or None,
                "install": _install(one),
                "ready": _here(one),
                "checked_on": one.checked,
                "note": one.note or None,
            }
            for one in entries()
        ],
        "trainers": [_trainer(one) for one in TRAINERS],
        "metrics": [{"name": one.name, "unit": one.unit or None, "meaning": one.meaning} for one in CANONICAL],
    }


def _trainer(trainer: Trainer) -> dict[str, Any]:
    return {
        "name": trainer.name,
        "title": trainer.title,
        "read": trainer.snapshot,
        "files": trainer.files,
        "keys": [_key(trainer, key) for key in trainer.keys],
        "traps": list(trainer.traps),
    }


def _key(trainer: Trainer, key: Key) -> dict[str, Any]:
    return {
        "metric": key.name,
        "trainer": trainer.name,
        "key": key.written,
        "unit": key.unit or next(one.unit for one in CANONICAL if one.name == key.name) or None,
        "seen": key.seen,
        "versions": key.versions or None,
        "note": key.note or None,
    }


def print_sources(console: Console) -> None:
    """Print the formats, then the trainers."""
    print_wrapped(console, "What rlscale reads", style="bold")
    console.print()
    table = plain_table()
    for heading in ("source", "give as PATH", "needs", "tried on"):
        table.add_column(heading, overflow="fold")
    for one in entries():
        needs = "–" if not one.extra else f"{_install(one)}{'' if _here(one) else ' (missing)'}"
        table.add_row(*(Text(cell) for cell in (one.title, one.give, needs, one.checked)))
    console.print(table)
    console.print()
    trainers = ", ".join(one.title for one in TRAINERS)
    print_list(
        console,
        "Trainers whose keys it knows, in all of these",
        [trainers, "rlscale sources --metrics lists the keys; rlscale show PATH says what a log of yours holds"],
    )


def metrics_document(trainer: str | None) -> dict[str, Any]:
    """Return the JSON document of ``sources --metrics``."""
    return {"schema": 1, "keys": [_key(one, key) for one in _chosen(trainer) for key in one.keys]}


def print_metrics(trainer: str | None, console: Console) -> None:
    """Print the canonical metric table: of one trainer, or of all."""
    chosen = _chosen(trainer)
    for one in chosen:
        print_wrapped(console, f"{one.title} ({one.snapshot})" if one.snapshot else one.title, style="bold")
        table = plain_table()
        for heading in ("metric", "key", "unit", "versions", "seen in"):
            table.add_column(heading, overflow="fold")
        for key in one.keys:
            row = _key(one, key)
            cells = (key.name.replace("_", " "), row["key"], row["unit"] or "", key.versions, key.seen)
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
        console.print()
        if len(chosen) == 1:
            print_list(console, "Where", [one.files])
            print_list(console, "Mind", one.traps)


def _chosen(name: str | None) -> tuple[Trainer, ...]:
    if name is None:
        return TRAINERS
    chosen = tuple(one for one in TRAINERS if name.lower().replace("_", "-") in (one.name, one.title.lower()))
    if not chosen:
        raise InputError(f"no trainer {name!r} is known; give one of {', '.join(one.name for one in TRAINERS)}")
    return chosen
