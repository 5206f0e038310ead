"""What an address holds now: one request for a thousand objects of a folder, one for a single object."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rlscale.errors import StoreError
from rlscale.sources.stores.address import Address, Asking, can_be_named
from rlscale.sources.stores.portions import beside

__all__ = ["Listed", "Listing"]

#: What stores call the state of an object; the first that is there is compared.
_STATES = ("ETag", "etag", "generation", "md5Hash", "blob_id", "LastModified", "last_modified", "updated", "mtime",
           "created")  # fmt: skip
_MOST = 100_000
#: Libraries that log what they raise too.
_TALKATIVE = ("adlfs", "azure", "gcsfs", "huggingface_hub", "s3fs")


@dataclass(frozen=True)
class Listed:
    """An object as it stands.

    Parameters
    ----------
    name : str
        As its library names it.
    size : int
    state : str
        Changes with what it holds.
    """

    name: str
    size: int
    state: str


class Listing:
    """Lists what an address holds, again and again.

    Parameters
    ----------
    address : Address

    Attributes
    ----------
    unnamed : list of str
        The objects that no file can be the image of.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._path = ""
        self._is_folder: bool | None = None
        self.store: Any = None  #: The library's file system.
        self.unnamed: list[str] = []

    @property
    def is_object(self) -> bool:
        """Whether the address is that of one object, once it was listed."""
        return self._is_folder is False

    def now(self, *, known: bool) -> dict[str, Listed]:
        """Return objects by their name below the address; a single one by its own, with what is read beside it.

        Parameters
        ----------
        known : bool
            Whether there was something before: then nothing is no error.

        Raises
        ------
        StoreError
            The library is missing, or the store cannot be reached or listed, or holds nothing there, or too much.
        """
        with Asking(self._address):
            if self.store is None:
                from fsspec.core import url_to_fs

                for name in _TALKATIVE:  # where nobody listens, Python would print their tracebacks
                    logging.getLogger(name).addHandler(logging.NullHandler())
                self.store, self._path = url_to_fs(self._address.url)
            self.store.invalidate_cache()
            if self._is_folder is None:
                self._is_folder = self.store.info(self._path)["type"] == "directory"
            try:
                return self._below() if self._is_folder else self._alone()
            except FileNotFoundError:
                if not known:
                    raise
                return {}

    def _below(self) -> dict[str, Listed]:
        listed: Mapping[str, Any] = self.store.find(self._path, detail=True)
        if len(listed) > _MOST:
            raise StoreError(self._address.shown, f"holds more than {_MOST:,} objects; name a folder below")
        base = self._path.rstrip("/") + "/"
        below = {
            name.removeprefix(base): self._listed(info)
            for name, info in sorted(listed.items())
            if info["type"] == "file" and not name.endswith("/")
        }
        folders = {name[:k] for name in below for k, letter in enumerate(name) if letter == "/"}
        self.unnamed = [name for name in below if name in folders or not all(map(can_be_named, name.split("/")))]
        return {name: each for name, each in below.items() if name not in self.unnamed}

    def _alone(self) -> dict[str, Listed]:
        folder, _, own = self._path.rpartition("/")
        listed = {self._address.below.name: self._listed(self.store.info(self._path))}
        for name in beside(own):
            with contextlib.suppress(FileNotFoundError):
                listed[name] = self._listed(self.store.info(f"{folder}/{name}"))
        return listed

    def _listed(self, info: Mapping[str, Any]) -> Listed:
        if info.get("size") is None:
            raise StoreError(self._address.shown, "does not say how long it is; download it and give the file")
        state = next((str(info[name]) for name in _STATES if info.get(name) is not None), "")
        return Listed(str(info["name"]), int(info["size"]), state)
