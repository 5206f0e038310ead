"""Python source: the keywords of ``GRPOConfig(...)`` by their literals. Nothing is executed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from typing import Any

from rlscale.errors import SourceError
from rlscale.sources.configs.written import Written, flat_keys

__all__ = ["python_written"]

_CONFIG = "GRPOConfig"
_SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
          ast.Div: operator.truediv}  # fmt: skip


class _NoLiteral(Exception):
    """A value that is known only when the program runs."""


def python_written(path: str, text: str) -> Written:
    """Return the keywords of the one ``GRPOConfig(...)`` of a program.

    A keyword counts where it is a literal, arithmetic of literals, or a name that is given one literal in the file;
    others are told as unread. ``**options`` counts where it is such a name.

    Raises
    ------
    SourceError
        No Python, no ``GRPOConfig(...)``, or several.
    """
    try:
        tree = ast.parse(text)
        nodes = list(ast.walk(tree))
    except SyntaxError as error:
        where = f" (line {error.lineno})" if error.lineno else ""
        raise SourceError(path, f"it is no Python: {error.msg}{where}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(path, "it is no Python that can be read: its expressions are too deep or too long") from error
    calls = [node for node in nodes if isinstance(node, ast.Call) and _called(node.func).endswith(_CONFIG)]
    if len(calls) != 1:
        lines = ", ".join(str(call.lineno) for call in calls[:5])
        what = f"it calls {_CONFIG} on lines {lines}" if calls else f"it has no call of {_CONFIG}(...)"
        raise SourceError(path, f"{what}; give a file with one")
    names = _constants(nodes)
    written = Written()
    for keyword in calls[0].keywords:
        try:
            value = _value(keyword.value, names)
        except _NoLiteral:
            written.unread(keyword.arg or "**", ast.get_source_segment(text, keyword.value) or "")
            continue
        for key, content in _named(path, keyword.arg, value).items():
            written.put(key, content)
    return written


def _named(path: str, name: str | None, value: Any) -> dict[str, Any]:
    if name is not None:
        return flat_keys(path, {name: value})
    return flat_keys(path, value) if isinstance(value, Mapping) else {}


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _constants(nodes: list[ast.AST]) -> dict[str, ast.expr]:
    """Return the names that are given a value once in the file, and nowhere else."""
    given: dict[str, list[ast.expr | None]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            given.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            given.setdefault(node.target.id, []).append(node.value)
        elif isinstance(node, ast.AugAssign | ast.NamedExpr | ast.For) and isinstance(node.target, ast.Name):
            given.setdefault(node.target.id, []).append(None)
        elif isinstance(node, ast.arg):
            given.setdefault(node.arg, []).append(None)
    return {name: values[0] for name, values in given.items() if len(values) == 1 and values[0] is not None}


def _value(node: ast.expr, names: Mapping[str, ast.expr], depth: int = 0) -> Any:
    """Return the value of an expression of literals.

    Raises
    ------
    _NoLiteral
        It is something else.
    """
    if depth > 20:
        raise _NoLiteral
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return _value(names[node.id], {name: content for name, content in names.items() if name != node.id}, depth + 1)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, names, depth)
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        left, right = _number(node.left, names, depth), _number(node.right, names, depth)
        try:
            return _SIGNS[type(node.op)](left, right)
        except (ArithmeticError, ValueError) as error:
            raise _NoLiteral from error
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(each, names, depth + 1) for each in node.elts]
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(getattr(key, "value", "")): _value(value, names, depth + 1) for key, value in pairs}
    if isinstance(node, ast.Call) and _called(node.func) == "dict" and not node.args:
        return {word.arg: _value(word.value, names, depth + 1) for word in node.keywords if word.arg}
    raise _NoLiteral


def _number(node: ast.expr, names: Mapping[str, ast.expr], depth: int) -> Any:
    value = _value(node, names, depth + 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e18:
        raise _NoLiteral  # text times a number may fill the memory
    return value
