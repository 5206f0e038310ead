"""What each setting of a configuration deserves to hear: one function a knob, in the order of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rlscale.curves import Config
from rlscale.decisions.knobs.catalogue import KNOBS
from rlscale.decisions.knobs.finding import Finding, Severity

__all__ = ["Rule", "count", "finding", "number", "read", "remark", "switch"]

Rule = Callable[[Config, str | None], Iterator[Finding]]
_KNOBS = {knob.name: knob for knob in KNOBS}


def read(value: Any) -> str:
    """Return a value as people read it: ``1e-06``, ``true``, ``768``."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    return "null" if value is None else str(value)[:60]


def number(config: Config, setting: str) -> float | None:
    """Return a setting as a number; None where it is none, or not known."""
    value = config.value_of(setting)
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def count(config: Config, setting: str) -> float | None:
    """Return a setting as a number above 0."""
    value = number(config, setting)
    return value if value is not None and 0.0 < value < 1e12 else None


def switch(config: Config, setting: str) -> bool | None:
    """Return a setting that is on or off; None where it is not known."""
    value = config.value_of(setting)
    return value if isinstance(value, bool) else None


def finding(
    config: Config,
    knob: str,
    setting: str,
    severity: Severity,
    says: str,
    source: str = "",
    with_: tuple[str, ...] = (),
) -> Finding:
    """Return a finding on a setting; its source is the knob's first study unless another is given."""
    row = _KNOBS[knob]
    stated, key = setting in config.settings, config.key_of(setting)
    before = "" if stated else f"Not written, so {config.title}'s default counts. "
    return Finding(
        config=config.name,
        setting=key,
        value=read(config.raw.get(key, config.value_of(setting))),
        severity=severity,
        says=f"{before}{says[:1].upper()}{says[1:]}",
        source=source or "; ".join(dict.fromkeys(study.source for study in row.evidence[:1])),
        knob=knob,
        moves=row.moves,
        with_=with_,
        stated=stated,
    )


def remark(config: Config) -> Iterator[Finding]:
    """Yield what is wrong with the keys themselves."""
    trainer = f"{config.title} {config.version}".strip()
    for each in config.remarks:
        severity: Severity = (
            "error" if each.refused else "note" if each.kind in ("unread", "depends", "unseen") else "warning"
        )
        yield Finding(
            config=config.name,
            setting=each.key,
            value=each.value,
            severity=severity,
            source=trainer,
            says=_begun(each.says, each.value),
        )


def _begun(says: str, value: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a key or a value.

    Examples
    --------
    >>> _begun("it must be true", "maybe"), _begun("bf16 is on too", "true"), _begun("luspo is meant so", "luspo")
    ('It must be true', 'bf16 is on too', 'luspo is meant so')
    """
    first = says.partition(" ")[0]
    return says[:1].upper() + says[1:] if first.isalpha() and first != value else says
