"""The options that every contender takes."""

from __future__ import annotations

import argparse

from streams.cli.supervise import stop_with_parent


def options() -> argparse.Namespace:
    """Read them; the process ends when the one that started it does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--sink", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--features", choices=("same", "words"), default="same")
    found = parser.parse_args()
    stop_with_parent()
    return found
