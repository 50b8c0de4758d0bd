"""What a corpus depends on beside its seed: versions of what made it."""

from __future__ import annotations

import platform
from importlib import metadata


def tool_versions() -> dict[str, str]:
    """Return the versions of jidoka, Python (docstrings, results) and the type stubs."""
    return {
        "jidoka": metadata.version("jidoka"),
        "python": platform.python_version(),
        "typeshed_client": metadata.version("typeshed-client"),
    }
