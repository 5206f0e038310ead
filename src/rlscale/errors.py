"""The exception tree. Every message says what happened, names the offending value, and says what to do next.

Each error has the ``parameter`` it is about, where there is one; messages name options as they are typed, and
:mod:`rlscale.parameters` says them in the words of Python.

::

    RlscaleError
    └── InputError              the input or the options cannot be used (exit code 2)
        ├── CurveError          points that are not a curve (order, sign, NaN, bounds, length)
        ├── SourceError         a file, or runs of one, that cannot be read; carries ``path`` and ``runs``
        │   ├── FormatError     no reader knows the file, or a better file should be read
        │   ├── EmptyError      nothing was evaluated yet: no run that an answer lacks
        │   └── StoreError      an object store that cannot be reached, listed or read
        ├── ChoiceError         several metrics or axes could be meant; carries ``candidates``
        ├── LedgerError         a ledger that cannot be opened, read or written
        └── KeywordError        a keyword that a public function does not take
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rlscale.parameters import in_python, parameter_of

__all__ = [
    "ChoiceError",
    "CurveError",
    "EmptyError",
    "FormatError",
    "InputError",
    "KeywordError",
    "LedgerError",
    "RlscaleError",
    "SourceError",
    "StoreError",
    "hidden",
]

_PASSWORD = re.compile(r"(://[^\s:/@]*):[^\s/@]*(?:@[^\s/@]*)*@")
#: ... and what signs an address of a store, so that it opens without a login.
_IN_QUERY = re.compile(
    r"([?&](?:password|sslpassword|passfile|sig|token|[\w-]*(?:signature|credential|security-token|accesskeyid))=)"
    r"[^&\s'\"]*",
    re.IGNORECASE,
)


def hidden(text: str) -> str:
    """Return a text with the passwords and signatures of the URLs in it replaced by ``***``."""
    return _IN_QUERY.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


class RlscaleError(Exception):
    """Root of everything this package raises on purpose.

    A message is written once, in the words of the command line (``--bounds LO HI``): the command line shows it so, as
    ``on_command_line``; ``str`` of the error speaks of the parameters of Python (``bounds=(LO, HI)``).

    Parameters
    ----------
    message : str
        What happened and what to do next; options as they are typed.
    parameter : str, optional
        The parameter it is about, where that is not the first option of the message.
    """

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message)
        self.on_command_line = message
        self.parameter = parameter or parameter_of(message)

    def __str__(self) -> str:
        return in_python(self.on_command_line)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), *self.args), self.__dict__ or None


def _remade(kind: type[RlscaleError], *args: Any) -> RlscaleError:
    """Return an error without its ``__init__``, which takes other arguments than ``args``."""
    return kind.__new__(kind, *args)


class InputError(RlscaleError):
    """The input or the options cannot be used; the message says which value and what to do."""


class CurveError(InputError):
    """Points that do not make a curve."""


class SourceError(InputError):
    """A file, or runs of one, that cannot be read.

    Parameters
    ----------
    path : str
        The file, as the user named it.
    message : str
        What happened and what to do next, without the path.
    runs : sequence of str, optional
        The runs of the file that it is about; none where it is the file.
    why : str, optional
        The reason alone, for one of these runs; the message where not given.

    Attributes
    ----------
    counted : bool
        Whether an answer covers fewer runs for it than were named.
    """

    counted = True

    def __init__(self, path: str, message: str, runs: Sequence[str] = (), why: str = "") -> None:
        path = hidden(path)
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message
        self.runs = tuple(runs)
        self.why = why or message


class FormatError(SourceError):
    """No reader knows the file, or a better file beside it should be read instead."""


class EmptyError(SourceError):
    """A file, or runs of one, without an evaluation yet."""

    counted = False


class StoreError(SourceError):
    """An object store that cannot be reached, listed or read; the message holds no password, key or signature."""


class ChoiceError(InputError):
    """Several metrics or compute axes could be meant; nothing is guessed.

    Parameters
    ----------
    message : str
        The question, with the option that answers it.
    candidates : sequence of str
        What could be chosen.
    files : mapping of str to sequence of str, optional
        Where each candidate is from.
    """

    def __init__(
        self, message: str, candidates: Sequence[str], files: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        named = candidates if files is None else [f"{one} ({_files(files[one])})" for one in candidates]
        super().__init__(f"{message}: {', '.join(named)}")
        self.candidates = tuple(candidates)


def _files(paths: Sequence[str], most: int = 2) -> str:
    """Return the names of some files, each once."""
    different = [hidden(path) for path in dict.fromkeys(paths)]
    more = f" and {len(different) - most:,} more" if len(different) > most else ""
    return f"{', '.join(different[:most])}{more}"


class LedgerError(InputError):
    """A ledger that cannot be opened, read or written; the message holds no password."""


class KeywordError(InputError, TypeError):
    """A keyword that a function of the package does not take; ``parameter`` is what was given."""
