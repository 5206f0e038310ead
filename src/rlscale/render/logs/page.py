"""The docs page "Your own logs", written from the same tables the readers use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from textwrap import fill

from jinja2 import Environment

from rlscale.curves.validation_keys import EVALUATED, REWARD, SOMETHING_ELSE
from rlscale.sources.formats import entries
from rlscale.sources.names import known_names
from rlscale.sources.trainers import CANONICAL, SETTINGS, TRAINERS, Trainer

__all__ = ["page"]

_SEEN = {"log": "a real log", "run": "a run made for this project", "source": "its source", "docs": "its docs"}


def page() -> str:
    """Return the page as Markdown."""
    template = Environment(autoescape=False, keep_trailing_newline=True).from_string(
        files("rlscale.render").joinpath("templates", "your-own-logs.md.j2").read_text(encoding="utf-8")
    )
    trainers = [
        {"title": one.title, "snapshot": one.snapshot, "files": one.files, "traps": one.traps, "table": _keys(one)}
        for one in TRAINERS
    ]
    return template.render(
        places=_places(),
        evaluated=_words(EVALUATED),
        reward=_words(REWARD),
        something_else=_words(SOMETHING_ELSE),
        meanings=_meanings(),
        overview=_overview(),
        settings=_settings(),
        trainers=trainers,
        columns=_columns(),
    )


def _words(words: Sequence[str]) -> str:
    return fill(", ".join(f"`{word}`" for word in words), 116).replace("\n", "\n   ")


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _places() -> str:
    rows = [
        (one.title, one.give, f"`pip install 'rlscale[{one.extra}]'`" if one.extra else "", one.checked, one.note)
        for one in entries()
    ]
    return _table(("source", "give as PATH", "needs", "tried on", "note"), rows)


def _columns() -> str:
    rows = [(meaning, ", ".join(f"`{name}`" for name in synonyms)) for meaning, synonyms in known_names().items()]
    return _table(("meaning", "names"), rows)


def _meanings() -> str:
    rows = [(one.name.replace("_", " "), one.unit or "the trainer's", one.meaning) for one in CANONICAL]
    return _table(("metric", "unit", "meaning"), rows)


def _overview() -> str:
    names = [one.name for one in CANONICAL if one.name != "step"]
    rows = [(trainer.title, *(_mark(trainer, name) for name in names)) for trainer in TRAINERS]
    return _table(("trainer", *(name.replace("_", " ") for name in names)), rows).rstrip("\n")


def _mark(trainer: Trainer, name: str) -> str:
    keys = [key for key in trainer.keys if key.name == name]
    if not keys:
        return ""
    return "**x**" if any(key.seen in ("log", "run") for key in keys) else "o"


def _keys(trainer: Trainer) -> str:
    rows = [
        (key.name.replace("_", " "), f"`{key.written}`", key.unit, key.versions, _SEEN[key.seen], key.note)
        for key in trainer.keys
    ]
    return _table(("metric", "key", "unit, if another", "versions", "seen in", "note"), rows).rstrip("\n")


def _settings() -> str:
    return _table(("setting", "meaning"), [(name.replace("_", " "), meaning) for name, meaning in SETTINGS.items()])
