"""``python -m streams.cli``: the same as ``jidoka``, for processes that start themselves again."""

from streams.cli import main

main()
