"""The templates of the frame around answers."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["filled"]


def filled(template: str, **context: Any) -> str:
    """Return a template with its places filled."""
    return str(_environment().get_template(template).render(**context))


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("rlscale.serve"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
