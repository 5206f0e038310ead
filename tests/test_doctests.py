"""Examples in docstrings: every public function has one, and all of them come true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import rlscale

#: What cannot be imported here: other packages' plugins, a shared library, a program.
OTHERS = ("rlscale.integrations", "rlscale.__main__", "rlscale.ledger.migrations", "rlscale.inference.backend.kernel")


def test_examples_come_true() -> None:
    runner, finder = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE), doctest.DocTestFinder()
    for module in pkgutil.walk_packages(rlscale.__path__, "rlscale."):
        if not module.name.startswith(OTHERS):
            for example in finder.find(importlib.import_module(module.name)):
                runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.summarize().attempted > 50


@pytest.mark.parametrize("name", [name for name in rlscale.__all__ if inspect.isfunction(getattr(rlscale, name))])
def test_every_public_function_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(rlscale, name)) or "")
