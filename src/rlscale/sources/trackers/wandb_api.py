"""Runs on Weights & Biases' service, ``wandb://ENTITY/PROJECT[/RUN_ID]``, through the public API of its package.

Tested with wandb 0.31 against a local server that answers its GraphQL queries as they are documented, never against
the service itself. ``WANDB_BASE_URL`` and ``WANDB_API_KEY`` are read by the package, and so is the login it saved.
"""

from __future__ import annotations

import importlib
import math
import netrc
import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from rlscale.errors import FormatError, SourceError
from rlscale.sources.limits import MOST_GPUS, MOST_KEYS
from rlscale.sources.record import Record, RowColumns
from rlscale.sources.repair import number
from rlscale.sources.text import were

__all__ = ["NAME", "check_login", "failures", "read_records"]

NAME = "wandb"

_FORM = "write wandb://ENTITY/PROJECT or wandb://ENTITY/PROJECT/RUN_ID, as in the address of the run's page"
_PART = re.compile(r"[^/\\\x00-\x1f]+")

#: Seconds for a request.
_TIMEOUT = 20

_LOGIN_WORDS = ("credential", "401", "403", "permission", "api key", "api_key", "logged in")


#: What the package raises besides its own ``Error``: it lets errors of its parts and of its parsing through.
_OTHERS = (
    ("wandb.errors", "Error"),
    ("wandb.sdk.lib.service.service_connection", "WandbApiFailedError"),
    ("wandb.sdk.lib.service.service_token", "WandbServiceConnectionError"),
    ("wandb.sdk.mailbox.mailbox_handle", "HandleAbandonedError"),
    ("wandb.sdk.mailbox.mailbox_handle", "ServerResponseError"),
    ("wandb.sdk.mailbox.mailbox", "MailboxClosedError"),
)
_PLAIN: tuple[type[Exception], ...] = (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError)


def read_records(uri: str) -> list[Record]:
    """Return the runs of a project, oldest first, or one run, each with its full history.

    The history is scanned whole, neither sampled nor by keys (a scan by keys leaves out the rows that lack one). The
    step of a value is the trainer's own where a row holds one, else W&B's count of log calls; see
    :class:`rlscale.sources.record.RowColumns`. GPUs are those W&B saw on the first node.

    Raises
    ------
    FormatError
        The wandb package is not installed.
    SourceError
        The address is none, there is no login, the service cannot be reached or refuses, there is no such project or
        run, or no run in it.
    """
    path = _path(uri)
    wandb = _package(uri)
    with _explained(uri):
        check_login(uri, wandb)
        api = wandb.Api(timeout=_TIMEOUT)
        runs = [api.run(path)] if path.count("/") == 2 else list(api.runs(path, order="+created_at"))
        found = [_record(run, uri) for run in runs]
    if not found:
        raise SourceError(uri, "the project holds no run; check its name")
    return found


def _path(uri: str) -> str:
    """Return ``entity/project`` or ``entity/project/run``."""
    scheme, _, rest = uri.partition("://")
    parts = [urllib.parse.unquote(part) for part in rest.rstrip("/").split("/")]
    if scheme.lower() != "wandb" or len(parts) not in (2, 3) or not all(map(_PART.fullmatch, parts)):
        raise SourceError(uri, f"is no address of a project or run; {_FORM}")
    return "/".join(parts)


def _package(uri: str) -> ModuleType:
    try:
        return importlib.import_module("wandb")
    except ImportError as error:
        raise FormatError(uri, "reading from W&B needs its package: pip install 'rlscale[wandb]'") from error


def check_login(uri: str, wandb: ModuleType) -> None:
    """Refuse to go on without a login: the package would ask for one in the terminal, and wait.

    Raises
    ------
    SourceError
        There is none.
    """
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return
    host = urllib.parse.urlsplit(str(wandb.setup().settings.base_url)).hostname or ""
    home = Path.home()
    for file in (os.environ.get("NETRC"), home / ".netrc", home / "_netrc"):
        with suppress(OSError, netrc.NetrcParseError, UnicodeDecodeError):
            if file and host in netrc.netrc(file).hosts:
                return
    raise SourceError(uri, f"not logged in to {host}; run `wandb login` once, or set WANDB_API_KEY")


def failures() -> tuple[type[Exception], ...]:
    """Return what the package raises."""
    kinds = [*_PLAIN]
    for module, name in _OTHERS:
        with suppress(ImportError, AttributeError):  # where they stand changes between versions
            kinds.append(getattr(importlib.import_module(module), name))
    return tuple(kinds)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn whatever the package raises into an error with advice."""
    try:
        yield
    except SourceError:
        raise
    except failures() as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SourceError(uri, f"W&B could not be read ({reason}); {_advice(reason.lower())}") from error


def _advice(reason: str) -> str:
    if any(word in reason for word in ("not find", "not found", "404", "does not exist")):
        return f"check the address and that you may see the project ({_FORM})"
    down = ("not respond", "timed out", "timeout", "connect", "refused", "no such host")
    if not any(word in reason for word in down) and any(word in reason for word in _LOGIN_WORDS):
        return "run `wandb login`, or set WANDB_API_KEY to a key that may see the project"
    return "check the network and WANDB_BASE_URL, then try again; or give the .wandb file of the run"


def _record(run: Any, uri: str) -> Record:
    rows = RowColumns()
    first = math.nan
    strange = 0
    for index, row in enumerate(run.scan_history()):
        if not isinstance(row, Mapping):
            strange += 1
            continue
        values = _numbers(row)
        own, time = values.get("_step", float(index)), values.get("_timestamp", math.nan)
        first = time if math.isnan(first) else first
        rows.add(values, own if math.isfinite(own) else float(index), time)
    repairs = [f"{were(strange, 'row')} left out, which are no objects"] if strange else []
    if rows.left_out:
        repairs.append(f"{were(rows.left_out, 'value')} left out: more than {MOST_KEYS} keys")
    created = _seconds(run.created_at)
    config = run.config
    return Record(
        name=str(run.name or ""),
        path=uri,
        format=NAME,
        rows=len(rows),
        columns=rows.done(),
        config={key: value for key, value in config.items() if key != "_wandb"} if isinstance(config, dict) else {},
        starts=() if math.isnan(created) or created > first else (created,),
        gpus=_gpus(run.metadata),
        run_id=str(run.id),
        group=str(run.group) if run.group else None,
        repairs=tuple(repairs),
    )


def _numbers(row: Mapping[Any, Any]) -> dict[str, float]:
    """Return the numbers of a row in the order of their keys, which the package shuffles; nested ones by ``/``."""
    found: dict[str, float] = {}
    left = [(str(key), row[key]) for key in sorted(row, key=str, reverse=True)]
    while left:
        key, value = left.pop()
        if isinstance(value, Mapping):
            left.extend((f"{key}/{inner}", value[inner]) for inner in sorted(value, key=str, reverse=True))
            continue
        logged = number(value)
        if logged is not None:
            found[key] = logged
    return found


def _seconds(stamp: Any) -> float:
    """Return the Unix time of an ISO 8601 time stamp, NaN where it is none; without a zone it is in UTC."""
    try:
        when = datetime.fromisoformat(str(stamp))
        return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _gpus(metadata: Any) -> float | None:
    count = metadata.get("gpu_count") if isinstance(metadata, Mapping) else None
    plain = isinstance(count, int) and not isinstance(count, bool) and 0 < count < MOST_GPUS
    return float(count) if plain and count is not None else None
