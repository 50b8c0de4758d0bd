"""The helper functions in Rust that translated code may call, from ``models/data/repair_support.rs``."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

NEEDS = {"python_slice_text": ("python_slice",)}
_PART = re.compile(r"^// == (\w+)\n", re.MULTILINE)


@cache
def helpers() -> dict[str, str]:
    """Return the helpers by name, each as whole lines."""
    text = resources.files("models").joinpath("data", "repair_support.rs").read_text(encoding="utf-8")
    parts = _PART.split(text)[1:]
    return {name: f"\n{code}" for name, code in zip(parts[::2], parts[1::2], strict=True)}
