"""What addresses name, as files in a temporary folder: listed at each look, and only what is new is fetched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from rlscale.errors import SourceError, StoreError
from rlscale.sources.assemble import Named
from rlscale.sources.discover import directly, may_be_log
from rlscale.sources.stores.address import Address, Asking, address_of, is_address, why
from rlscale.sources.stores.folder import temporary
from rlscale.sources.stores.listing import Listed, Listing
from rlscale.sources.stores.portions import Portion, portions
from rlscale.sources.stores.transfer import ChangedError, Transfer, transferred

__all__ = ["Image"]

#: Bytes of a document that show whether it is a log; what discovery looks at.
_HEAD = 1 << 18
#: Bytes of the disk that are left free.
_SPARE = 64 << 20
#: Files that are not written at their end alone.
_REWRITTEN = frozenset({".json", ".db", ".sqlite", ".sqlite3", ".parquet", ".db-wal", ".sqlite-wal", ".sqlite3-wal"})


class Image:
    """An image of what addresses name, in a temporary folder that is removed with it; made at the first address.

    Used in ``with``, errors that leave it speak of addresses.
    """

    def __init__(self) -> None:
        self._root: Path | None = None
        self._remove: Callable[[], object] | None = None
        self._targets: dict[str, _Target] = {}

    def __enter__(self) -> Image:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
        if isinstance(error, SourceError) and (shown := self._error(error)) is not error:
            raise shown from None

    @property
    def root(self) -> Path | None:
        """The folder; None where no address was named yet."""
        return self._root

    def fetched(self, paths: Sequence[Any]) -> tuple[tuple[Any, ...], list[SourceError]]:
        """Return paths with files in the place of addresses, which hold what the stores do now; and what failed.

        Parameters
        ----------
        paths : sequence
            Paths, addresses and tables in memory. An address that cannot be read at all is left out; one that could be
            read before stays as it was.
        """
        local: list[Any] = []
        errors: list[SourceError] = []
        for path in paths:
            if not is_address(path):
                local.append(path)
                continue
            try:
                target = self._target(path)
                errors.extend(target.refresh())
                local.append(target.local)
            except SourceError as error:
                errors.append(error.with_traceback(None))
                known = self._targets.get(str(path))
                if known is not None and known.known:
                    local.append(known.local)
        return tuple(local), errors

    def _target(self, path: object) -> _Target:
        if str(path) not in self._targets:
            address = address_of(path)
            if self._root is None:
                self._root, self._remove = temporary(self)
            self._targets[str(path)] = _Target(address, self._root / address.below)
        return self._targets[str(path)]

    def close(self) -> None:
        """Remove the folder."""
        if self._remove is not None:
            self._remove()

    def with_addresses(self, text: str) -> str:
        """Return a text with addresses in the place of the files of this image."""
        if self._root is None or str(self._root) not in text:
            return text
        return re.sub(re.escape(str(self._root)) + r"/(\w+)/", r"\1://", text)

    def errors(self, errors: Iterable[SourceError]) -> list[SourceError]:
        """Return errors that speak of addresses; others are the very ones."""
        return [self._error(error) for error in errors]

    def _error(self, error: SourceError) -> SourceError:
        path, message, reason = map(self.with_addresses, (error.path, error.message, error.why))
        if (path, message, reason) == (error.path, error.message, error.why):
            return error
        shown = type(error)(path, message, error.runs, reason)
        shown.counted = error.counted
        return shown

    def logs(self, logs: Sequence[Named]) -> list[Named]:
        """Return logs that name addresses as what they were read from."""
        if self._root is None:
            return list(logs)
        return [replace(each, log=replace(each.log, path=self.with_addresses(each.log.path))) for each in logs]


@dataclass(frozen=True)
class _Copy:
    """What a file of an image holds: an object as it was listed, and how much of it."""

    listed: Listed
    portion: Portion


class _Target:
    """The image of one address."""

    def __init__(self, address: Address, local: Path) -> None:
        self.address, self.local = address, local
        self.known: dict[str, _Copy] = {}  #: By the name in the folder.
        self._listing = Listing(address)

    def refresh(self) -> list[SourceError]:
        """Fetch what is new; return what could not be fetched.

        Raises
        ------
        StoreError
            The address cannot be listed, or what it holds does not fit on the disk.
        """
        listed = self._listing.now(known=bool(self.known))
        if self._listing.is_object:
            wanted = dict.fromkeys(listed, Portion.WHOLE)
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            wanted = portions(listed)
        errors = self._unnamed()
        for name in self.known.keys() - wanted.keys():
            self._file(name).unlink(missing_ok=True)
            del self.known[name]
        new = {
            name: _Copy(listed[name], portion)
            for name, portion in wanted.items()
            if self.known.get(name) != _Copy(listed[name], portion)
        }
        return [*errors, *self._take(new)]

    def _unnamed(self) -> list[SourceError]:
        """Return an error for objects that no file can be the image of."""
        lost = self._listing.unnamed
        if not lost:
            return []
        reason = "has a name that no file can have and was not read; rename it, or give its own address"
        return [StoreError(self._shown(lost[0]), reason + _more(len(lost) - 1))]

    @property
    def _folder(self) -> Path:
        return self.local.parent if self._listing.is_object else self.local

    def _file(self, name: str) -> Path:
        return self._folder / name

    def _shown(self, name: str) -> str:
        shown = self.address.shown.rstrip("/")
        return f"{shown.rpartition('/')[0] if self._listing.is_object else shown}/{name}"

    def _take(self, new: Mapping[str, _Copy]) -> list[SourceError]:
        """Bring files up to what is listed; return what could not be."""
        transfers: dict[str, Transfer] = {}
        for name, copy in new.items():
            local = self._file(name)
            local.parent.mkdir(parents=True, exist_ok=True)
            if copy.portion is Portion.NAME:
                local.touch()
                self.known[name] = copy
            else:
                transfers[name] = self._transfer(name, copy, local)
        errors = self._run(transfers, new)
        rest = {
            name: replace(transfer, end=new[name].listed.size, start=_HEAD, whole=True)
            for name, transfer in transfers.items()
            if not transfer.whole and name in self.known and may_be_log(self._file(name), directly)
        }
        for name in rest:
            del self.known[name]
        return [*errors, *self._run(rest, new)]

    def _transfer(self, name: str, copy: _Copy, local: Path) -> Transfer:
        listed, before = copy.listed, self.known.get(name)
        there = local.stat().st_size if before is not None and local.exists() else 0
        if copy.portion is Portion.HEAD and listed.size > _HEAD >= there:
            return Transfer(listed.name, local, _HEAD, whole=False)
        if before is None or before.portion is not copy.portion or local.suffix.lower() in _REWRITTEN:
            there = 0
        return Transfer(listed.name, local, listed.size, start=there if there <= listed.size else 0)

    def _run(self, transfers: Mapping[str, Transfer], new: Mapping[str, _Copy]) -> list[SourceError]:
        if not transfers:
            return []
        self._check_room(sum(job.end - job.start for job in transfers.values()))
        with Asking(self.address):
            wrong = transferred(self._listing.store, transfers.values())
        reasons: dict[str, list[str]] = {}
        for name, job in transfers.items():
            error = wrong.get(job.local)
            if error is None:
                self.known[name] = new[name]
                continue
            changed = isinstance(error, ChangedError)
            reason = "changed while it was read; read it again" if changed else why(error, self.address)
            reasons.setdefault(reason, []).append(name)
            if name not in self.known:
                job.local.unlink(missing_ok=True)
        return [StoreError(self._shown(names[0]), reason + _more(len(names) - 1)) for reason, names in reasons.items()]

    def _check_room(self, needed: int) -> None:
        here = next(folder for folder in self.local.parents if folder.exists())
        free = max(shutil.disk_usage(here).free - _SPARE, 0)
        if needed > free:
            raise StoreError(
                self.address.shown,
                f"holds {needed / 1e9:.2g} GB to read and {free / 1e9:.2g} GB are free in the folder for temporary "
                "files; name a folder below, or set TMPDIR to a disk with room",
            )


def _more(others: int) -> str:
    return f" (so for {others} more)" if others else ""
