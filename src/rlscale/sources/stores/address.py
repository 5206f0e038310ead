"""Addresses of objects, and what a store's library raises in words that say what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any

from rlscale.errors import StoreError, hidden

__all__ = ["Address", "Asking", "address_of", "is_address", "why"]

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9]*)://")
_WILDCARD = re.compile(r"[*?\[]")
_WEB = ("http", "https")

_AWS = "AWS_PROFILE, AWS_ACCESS_KEY_ID and ~/.aws; for a public bucket set FSSPEC_S3_ANON=true"
_GOOGLE = "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login"
_AZURE = "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"
#: The library of each scheme, and where it looks for credentials.
_SCHEMES = {
    "s3": ("s3fs", _AWS),
    "s3a": ("s3fs", _AWS),
    "gs": ("gcsfs", _GOOGLE),
    "gcs": ("gcsfs", _GOOGLE),
    "abfs": ("adlfs", _AZURE),
    "abfss": ("adlfs", _AZURE),
    "az": ("adlfs", _AZURE),
    "hf": ("huggingface_hub", "HF_TOKEN, or hf auth login"),
    "http": ("aiohttp", "the address"),
    "https": ("aiohttp", "the address"),
    "memory": ("fsspec", "the address"),
}
#: What the extra installs.
_EXTRA = ("fsspec", "s3fs", "aiohttp")
#: Errors of Python itself are faults, and so are those of this package: they are raised as they are.
_FAULTS = ("builtins", "rlscale")
_REFUSED = (401, 403)
_MISSING = 404


@dataclass(frozen=True)
class Address:
    """An address of objects.

    Parameters
    ----------
    url : str
        What the library gets; it may hold a password or a signature.
    shown : str
        What is told: without those.
    scheme : str
        ``s3``, ``gs``, ...
    below : PurePosixPath
        Where it lies in an image: ``s3/BUCKET/KEY``.
    """

    url: str = field(repr=False)
    shown: str
    scheme: str
    below: PurePosixPath


def is_address(path: object) -> bool:
    """Whether a path is the address of objects in a store."""
    match = _ADDRESS.match(str(path))
    return match is not None and match[1].lower() in _SCHEMES


def address_of(path: object) -> Address:
    """Return an address of objects, as :func:`is_address` knows it.

    Raises
    ------
    StoreError
        It names no bucket, or a folder that no folder can hold.
    """
    scheme, _, rest = str(path).partition("://")
    scheme = scheme.lower()
    shown = hidden(f"{scheme}://{rest}")
    if scheme in _WEB:
        shown = re.split(r"[?#]", shown, maxsplit=1)[0]
    parts = [part for part in shown.partition("://")[2].split("/") if part]
    if not parts:
        raise StoreError(shown, f"names no bucket; write {scheme}://BUCKET/FOLDER")
    if not all(map(can_be_named, parts)):
        raise StoreError(shown, "has a part that is no name of a file (.., or one too long); check the address")
    return Address(f"{scheme}://{rest}", shown, scheme, PurePosixPath(scheme, *parts))


#: Bytes of a name; systems allow 255, and a file has a longer one while it is fetched.
_LONGEST = 240


def can_be_named(part: str) -> bool:
    """Whether a file or a folder can have this name."""
    return part not in ("", ".", "..") and "\0" not in part and len(part.encode("utf-8", "replace")) <= _LONGEST


class Asking:
    """Where a store is asked: what its library raises becomes a :class:`rlscale.errors.StoreError`.

    Libraries put addresses, and some of them keys, into their messages and tracebacks: nothing of these is told.

    Parameters
    ----------
    address : Address
    """

    def __init__(self, address: Address) -> None:
        self._address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None and _is_of_a_library(error):
            raise StoreError(self._address.shown, why(error, self._address)) from None


def _is_of_a_library(error: BaseException) -> bool:
    """Whether a library raised it: as its own error, or for a system, a package or a setting that refuses."""
    own = type(error).__module__.partition(".")[0] not in _FAULTS and isinstance(error, Exception)
    return own or isinstance(error, OSError | ImportError | ValueError)


def why(error: BaseException, address: Address) -> str:
    """Return what an error of a store's library means, and what to do."""
    scheme = address.scheme
    library, credentials = _SCHEMES[scheme]
    if isinstance(error, FileNotFoundError) and error.__cause__ is not None and _is_of_the_network(error.__cause__):
        error = error.__cause__  # of HTTP, whatever fails is said to be missing
    kind, code = type(error).__name__, _code(error)
    if isinstance(error, ImportError):
        own = f" {library}" if library not in _EXTRA else ""
        needed = "fsspec" if library == "fsspec" else f"fsspec and {library}"
        return f"{scheme}:// needs {needed}; run pip install 'rlscale[cloud]'{own}"
    if isinstance(error, FileNotFoundError) or code == _MISSING:
        if "bucket" in str(error).lower():
            return "there is no such bucket; check its name, and the endpoint if it is not the provider's own"
        if _WILDCARD.search(address.shown):
            return "there is no such object; wildcards are not expanded: give the folder, and --run GLOB for its runs"
        return "there is no such object, and none below it; check the address"
    if re.search("credential|profile|authentication", kind, re.I):
        return f"no credentials are there for this store; {library} takes them from {credentials}"
    if isinstance(error, PermissionError) or code in _REFUSED:
        return f"access is refused; check that what {library} finds may list and read here: {credentials}"
    if _is_of_the_network(error):
        endpoint = " (AWS_ENDPOINT_URL)" if library == "s3fs" else ""
        return f"the store cannot be reached; check the network and the endpoint{endpoint}, then try again"
    return f"the store cannot be read ({kind}); check the address, and where {library} looks for a login: {credentials}"


def _is_of_the_network(error: BaseException) -> bool:
    kind = type(error).__name__
    return isinstance(error, ConnectionError | TimeoutError) or bool(
        re.search("connect|timeout|endpoint|dns", kind, re.I)
    )


def _code(error: BaseException) -> int | None:
    """Return the code of HTTP that an error tells."""
    status: Any = getattr(error, "status", None) or getattr(error, "code", None)
    status = status or getattr(getattr(error, "response", None), "status_code", None)
    return int(status) if str(status).isdigit() else None
