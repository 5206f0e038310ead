"""YAML and JSON configurations: plain values only, within limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rlscale.errors import InputError, SourceError
from rlscale.sources.configs.written import Written, flat_keys, literal, shown
from rlscale.sources.limits import CONFIG_DEPTH, CONFIG_KEYS, YAML_MERGED, YAML_NODES, YAML_WORD

__all__ = ["json_written", "yaml_written"]


def yaml_written(path: str, text: str) -> Written:
    """Return what a YAML file says.

    Keys are what is written: ``1`` and ``true`` are two of them.

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

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Takes keys as they are written, and refuses merges without end."""

        merged = 0

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            long = kind is yaml.ScalarNode and len(value) > YAML_WORD
            return "tag:yaml.org,2002:str" if long else super().resolve(kind, value, implicit)

        def flatten_mapping(self, node: Any) -> None:
            own, copied = [], {}
            for key, value in node.value:
                if key.tag != "tag:yaml.org,2002:merge":
                    own.append((key, value))
                    continue
                for part in reversed(value.value if isinstance(value, yaml.SequenceNode) else [value]):
                    if not isinstance(part, yaml.MappingNode) or part is node:
                        raise SourceError(path, "a merge (<<) takes other mappings only; write the settings out")
                    self.flatten_mapping(part)
                    self.merged += len(part.value)
                    if self.merged > YAML_MERGED:
                        raise SourceError(path, f"its merges (<<) copy more than {YAML_MERGED:,} settings; write them "
                                          "out")  # fmt: skip
                    copied.update({str(each.value): (each, content) for each, content in part.value})
            if copied:
                mine = {str(each.value) for each, _ in own}
                own = [*(pair for name, pair in copied.items() if name not in mine), *own]
            node.value = own

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            if isinstance(node, yaml.MappingNode):
                self.flatten_mapping(node)
                for key, _ in node.value:
                    if not isinstance(key, yaml.ScalarNode):
                        raise SourceError(path, f"line {key.start_mark.line + 1} has a list or a mapping for a key; "
                                          "give a name")  # fmt: skip
                    key.tag = "tag:yaml.org,2002:str"
            return super().construct_mapping(node, deep)

    try:
        _bounded(path, yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        loader = Loader(text)
        node = loader.get_single_node()
        twice = list(_twice(node, "", set()))
        data = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise SourceError(path, f"it is no plain YAML: {_reason(error)}") from error
    except RecursionError as error:
        raise SourceError(path, f"it is nested more than {CONFIG_DEPTH} levels deep; give one configuration") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise SourceError(path, "it is no plain YAML: a date or a number in it is none") from error
    written = _of_mapping(path, data, "YAML")
    for key, before in twice:
        _remembered(written, key, before)
    return written


def _bounded(path: str, events: Any) -> None:
    """Refuse a file that is too deep or has too many nodes, before anything is built of it.

    Raises
    ------
    SourceError
        It is so.
    """
    depth = 0
    for nodes, event in enumerate(events):
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > CONFIG_DEPTH + 4:
            raise SourceError(path, f"it is nested more than {CONFIG_DEPTH} levels deep; give one configuration")
        if nodes >= YAML_NODES:
            raise SourceError(path, f"it has more than {CONFIG_KEYS:,} settings; give the file of one configuration")


def _twice(node: Any, prefix: str, above: set[int]) -> Iterator[tuple[str, str]]:
    """Yield keys that are written twice, which YAML forbids and PyYAML does not see, with the value that is lost."""
    if not isinstance(getattr(node, "value", None), list) or id(node) in above:
        return
    above.add(id(node))
    first: dict[str, str] = {}
    for pair in node.value:
        if not isinstance(pair, tuple):
            continue
        name, content = pair[0].value, pair[1].value
        key = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(name, str) and isinstance(content, str) and name != "<<":
            if first.get(name, content) != content:
                yield key, first[name]
            first[name] = content
        else:
            yield from _twice(pair[1], key, above)


def _remembered(written: Written, key: str, before: Any) -> None:
    """Tell of a value that another one under the same key hides."""
    if key in written.values:
        value = written.values.pop(key)
        written.put(key, literal(before) if isinstance(before, str) else before)
        written.put(key, value)


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = "" if mark is None else f" (line {mark.line + 1})"
    return f"{getattr(error, 'problem', None) or str(error).splitlines()[0]}{where}"


class _Object(dict[str, Any]):
    """A JSON object with the values that others under the same key hide."""

    def __init__(self, items: list[tuple[str, Any]]) -> None:
        super().__init__(items)
        self.hidden = [(key, value) for key, value in items if value != self[key] and not isinstance(value, Mapping)]


def json_written(path: str, text: str) -> Written:
    """Return what a JSON file says.

    Raises
    ------
    SourceError
        No JSON, or no object.
    """
    try:
        data = json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        raise SourceError(path, f"it is no JSON: line {error.lineno}, column {error.colno} cannot be read") from error
    except RecursionError as error:
        raise SourceError(path, f"it is nested more than {CONFIG_DEPTH} levels deep; give one configuration") from error
    except ValueError as error:
        raise SourceError(path, "it is no JSON: a number in it has thousands of digits") from error
    written = _of_mapping(path, data, "JSON")
    for key, before in _hidden(data, ""):
        _remembered(written, key, before)
    return written


def _hidden(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in getattr(data, "hidden", ()):
        yield f"{prefix}{key}", value
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _hidden(value, f"{prefix}{key}.")


def _of_mapping(path: str, data: Any, kind: str) -> Written:
    if not isinstance(data, Mapping):
        raise SourceError(path, f"a configuration is a mapping of names to values, this {kind} is {_noun(data)}")
    return Written(flat_keys(path, data))


def _noun(data: Any) -> str:
    """Return what something is, as people say it.

    Examples
    --------
    >>> _noun(5), _noun([]), _noun("hello"), _noun(True)
    ('a number (5)', 'an empty list', 'text (hello)', 'true')
    """
    if data is None:
        return "empty"
    if isinstance(data, bool):
        return shown(data)
    if isinstance(data, list | tuple | set):
        return "a list" if data else "an empty list"
    return f"{'a number' if isinstance(data, int | float) else 'text'} ({shown(data)})"
