"""YAML and JSON configurations: plain values only, within limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rlscale.errors import InputError, SourceError
from rlscale.sources.configs.written import DEEPEST, Written, flat_keys, shown

__all__ = ["json_written", "yaml_written"]


def yaml_written(path: str, text: str) -> Written:
    """Return what a YAML file says.

    Raises
    ------
    InputError
        No PyYAML.
    SourceError
        No YAML, no mapping, or one that is too large, too deep or contains itself.
    """
    try:
        import yaml
    except ImportError as error:
        raise InputError(f"{path}: YAML is read with PyYAML; pip install 'rlscale[configs]'") from error
    twice: list[tuple[str, Any, Any]] = []

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Refuses depth, and remembers keys that are written twice, which YAML forbids and PyYAML does not see."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.depth += 1
            if self.depth > 2 * DEEPEST:
                raise SourceError(path, f"it is nested more than {DEEPEST} levels deep; give one configuration")
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: dict[str, Any] = {}
            for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
                name, content = str(getattr(key, "value", "")), getattr(value, "value", None)
                if name in seen and name != "<<" and seen[name] != content:
                    twice.append((name, seen[name], content))
                seen[name] = content
            return super().construct_mapping(node, deep)

    try:
        data = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise SourceError(path, f"it is no plain YAML: {_reason(error)}") from error
    except (RecursionError, ValueError, TypeError, OverflowError) as error:
        raise SourceError(path, f"it is no plain YAML: {type(error).__name__}") from error
    written = _of_mapping(path, data, "YAML")
    for name, before, after in twice:
        if isinstance(before, str) and isinstance(after, str):
            key = next((key for key in written.values if key.rpartition(".")[2] == name), name)
            value = written.values.pop(key, after)
            written.put(key, before)
            written.put(key, value)
    return written


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = "" if mark is None else f" (line {mark.line + 1})"
    return f"{getattr(error, 'problem', None) or str(error).splitlines()[0]}{where}"


def json_written(path: str, text: str) -> Written:
    """Return what a JSON file says.

    Raises
    ------
    SourceError
        No JSON, or no object.
    """
    written = Written()

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in items:
            if key in data and data[key] != value and not isinstance(value, dict):
                Written.put(written, key, data[key])
                Written.put(written, key, value)
            data[key] = value
        return data

    try:
        data = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise SourceError(path, f"it is no JSON: {error}") from error
    written.values = _of_mapping(path, data, "JSON").values
    return written


def _of_mapping(path: str, data: Any, kind: str) -> Written:
    if not isinstance(data, Mapping):
        what = (
            "empty" if data is None else f"a {type(data).__name__} ({shown(data)})" if data != [] else "an empty list"
        )
        raise SourceError(path, f"a configuration is a mapping of names to values, this {kind} is {what}")
    return Written(flat_keys(path, data))
