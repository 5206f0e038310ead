"""The examples in the docstrings print what they say."""

import doctest
from importlib import import_module
from pkgutil import iter_modules

import pytest

import rlscale.decisions.rollouts as package

MODULES = [f"{package.__name__}.{module.name}" for module in iter_modules(package.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples():
    assert sum(doctest.testmod(import_module(name)).attempted for name in MODULES) > 10
