"""Shell scripts and argument lists: flags (``--key value``), Hydra's overrides (``a.b=value``), variables filled in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rlscale.errors import SourceError
from rlscale.sources.configs.written import Written, literal
from rlscale.sources.limits import SHELL_WORD

__all__ = ["arguments_written", "shell_written"]

_ASSIGNED = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL)
_OVERRIDE = re.compile(r"([+~]{0,2})([A-Za-z_]\w*(?:\.[\w@-]+)+)=(.*)", re.DOTALL)
_FLAG = re.compile(r"--([A-Za-z_][\w.-]*)(?:=(.*))?", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^{}]*))?\}|(\w+))")
_SUM = re.compile(r"\$\(\(([^()]*)\)\)")
_PRODUCT = re.compile(r"\s*(\d+)\s*([-+*/])\s*(\d+)\s*")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_ENDS = frozenset({";", "&&", "||", "|", "&", ")", "2>&1", ">", ">>"})
#: Flags of what starts the trainer, and not its own.
_LAUNCHER = frozenset(
    {"nproc_per_node", "nproc-per-node", "nnodes", "node_rank", "master_addr", "master_port", "rdzv_backend",
     "rdzv_endpoint", "config_file", "config-file", "num_processes", "num_machines", "address", "runtime-env-json",
     "working-dir", "config-path", "config-name"}
)  # fmt: skip


def shell_written(path: str, text: str) -> Written:
    """Return the flags and overrides of a script.

    Raises
    ------
    SourceError
        It has neither.
    """
    variables: dict[str, str] = {}
    words: list[str] = []
    for line in _logical_lines(text):
        line = _SUM.sub(lambda match: _summed(_filled(match[1], variables)), line)
        try:
            parts = shlex.split(line)
        except ValueError:  # a quote without its end, or that ends on another line
            parts = line.split()
        words += [*_told(parts, variables), ";"]
    written = arguments_written(words)
    if not written.values and not written.remarks:
        raise SourceError(
            path, "it has neither flags (--key value) nor overrides (key.key=value); give a configuration"
        )
    return written


def _logical_lines(text: str) -> Iterator[str]:
    """Yield the lines of a script, those that go on joined, without comments."""
    joined = ""
    for line in text.splitlines():
        line = _COMMENT.sub("", line)
        if line.rstrip().endswith("\\"):
            joined += line.rstrip()[:-1] + " "
            continue
        if joined or line.strip():
            yield joined + line
        joined = ""
    if joined:
        yield joined


def _told(parts: Sequence[str], variables: dict[str, str]) -> Iterator[str]:
    """Yield the words of a line with variables filled in; assignments are remembered instead."""
    for place, part in enumerate(parts):
        part = _filled(part, variables)
        assigned = _ASSIGNED.fullmatch(part)
        if assigned is not None and not part.startswith("-"):
            name, value = assigned.groups()
            if value.startswith("("):
                yield from _opened(value[1:])
            else:
                variables[name] = value
        elif part not in ("export", "local", "readonly") or place:
            yield part.removesuffix(")") if part.endswith(")") and "(" not in part else part


def _opened(rest: str) -> Iterator[str]:
    if rest:
        yield rest


def _filled(text: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return variables.get(name, match[2] if match[2] is not None else match[0])

    return _VARIABLE.sub(value, text)[:SHELL_WORD] if len(text) <= SHELL_WORD else text


def _summed(text: str) -> str:
    """Return a sum or a product of two numbers; anything else stays as it is."""
    match = _PRODUCT.fullmatch(text)
    if match is None or len(text) > 40:
        return text.replace(" ", "") if text.strip().isdigit() else f"$(({text.replace(' ', '')}))"
    left, sign, right = int(match[1]), match[2], int(match[3])
    if sign == "/":
        return str(left // right) if right else "0"
    return str({"+": left + right, "-": left - right, "*": left * right}[sign])


def arguments_written(words: Iterable[str]) -> Written:
    """Return what a list of arguments says: ``["--rollout.batch_size", "48", ...]`` or ``["data.seed=1", ...]``."""
    written = Written()
    for command in _commands(words):
        _of_command(command, written)
    return written


def _commands(words: Iterable[str]) -> Iterator[list[str]]:
    """Yield the arguments of each command, without those of what starts the trainer."""
    command: list[str] = []
    before = ""
    for word in words:
        if word == "--" or before == "-m" or (word.endswith(".py") and not before.startswith("--")):
            command = []
        elif word in _ENDS:
            yield command
            command = []
        else:
            command.append(word)
        before = word
    yield command


def _of_command(words: Sequence[str], written: Written) -> None:
    flag, values = "", []
    for word in [*words, "--"]:
        override, begins = _OVERRIDE.fullmatch(word), _FLAG.fullmatch(word)
        if override is None and begins is None and word != "--":
            values.append(word)
            continue
        if flag and flag not in _LAUNCHER:
            _put(written, flag, values)
        flag, values = "", []
        if begins is not None:
            flag, values = begins[1], [] if begins[2] is None else [begins[2]]
        elif override is not None:
            _override(written, *override.groups())


def _put(written: Written, key: str, values: Sequence[str]) -> None:
    if values:
        written.valued.add(key)
    unknown = [value for value in values if "$" in value or "`" in value]
    if unknown:
        written.unread(key, unknown[0])
    elif not values:
        written.put(key, True)
    else:
        written.put(key, literal(values[0]) if len(values) == 1 else [literal(value) for value in values])


def _override(written: Written, sign: str, key: str, value: str) -> None:
    if sign.startswith("~"):
        return
    if sign:
        written.added.add(key)
    if "$" in value or "`" in value:
        written.unread(key, value)
    else:
        written.put(key, _hydra(value))


def _hydra(value: str) -> Any:
    """Return a value in Hydra's grammar: lists in brackets, else one word."""
    text = value.strip()
    if text.startswith("[") and text.endswith("]") and "[" not in text[1:]:
        return [literal(part) for part in text[1:-1].split(",")]
    return literal(text)
