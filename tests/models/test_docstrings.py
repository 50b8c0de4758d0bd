"""The examples in the core's docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import models

NAMES = sorted(module.name for module in pkgutil.walk_packages(models.__path__, "models."))


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str) -> None:
    """Every example in a docstring prints what it says."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    """The modules are found, and some of them have examples."""
    tried = [doctest.testmod(importlib.import_module(name)).attempted for name in NAMES]
    assert sum(tried) > 3
