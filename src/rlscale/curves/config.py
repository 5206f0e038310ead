"""A trainer's configuration in canonical words: what a file, or the log of a run, says of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from rlscale.curves.value import Value

__all__ = ["MOST_COMPLETIONS", "MOST_GPUS", "Config", "KeyRemark"]

#: No run has more completions in a step, or more GPUs: a larger number is a slip.
MOST_COMPLETIONS, MOST_GPUS = 100_000_000, 1_000_000


@dataclass(frozen=True)
class KeyRemark(Value):
    """What is to be said of a key as it was written, before any evidence.

    Parameters
    ----------
    key, value : str
        As written.
    kind : str
        ``unknown`` (perhaps misspelt), ``version`` (the trainer's version has no such key), ``contradiction`` (the
        trainer refuses it, or ignores one of two keys), ``unused`` (it has no effect), ``twice``, ``unread`` (its
        value is no literal), ``value`` (no run can start with it), ``depends`` (on what is not written: GPUs),
        ``unseen`` (the trainer's version was never looked at).
    says : str
        One sentence: what is wrong, and what to do.
    refused : bool
        Whether the trainer stops at it.
    """

    key: str
    value: str
    kind: Literal["unknown", "version", "contradiction", "unused", "twice", "unread", "value", "depends", "unseen"]
    says: str
    refused: bool = False


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Config(Value):
    """A configuration.

    Parameters
    ----------
    name : str
        The file, or the run.
    trainer, title : str
        As in JSON (``trl``), and in sentences (``TRL``); empty where it is not known.
    version : str
        Of the trainer: the one stated, else the newest whose keys are known.
    settings : mapping of str to Any
        What it says, under canonical names: those of :attr:`rlscale.curves.Run.settings` and some more
        (``rlscale.sources.configs.SETTINGS``).
    keys : mapping of str to str
        The key behind each of ``settings``, as it was written.
    defaults : mapping of str to Any
        What the trainer does where it says nothing, of the settings that the evidence is about.
    wrong : mapping of str to str
        The keys of settings whose value the trainer refuses: they are in neither of the two, and in ``raw`` as written.
    raw : mapping of str to Any
        All keys, flat, as written.
    remarks : tuple of KeyRemark
    """

    name: str
    trainer: str = ""
    title: str = ""
    version: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[KeyRemark, ...] = ()

    def __post_init__(self) -> None:
        for name in ("settings", "keys", "defaults", "wrong", "raw"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __repr__(self) -> str:
        return f"Config({self.name}: {self.title or 'unknown trainer'}, {len(self.settings)} settings)"

    def key_of(self, setting: str) -> str:
        """Return the key that a setting was written under, else its canonical name."""
        return self.keys.get(setting, setting)

    def value_of(self, setting: str) -> Any:
        """Return a setting, else the trainer's default; None where neither is known."""
        return self.settings.get(setting, self.defaults.get(setting))
