"""Measurements of the line: each module runs with one command, ``python -m benchmarks.<name>``."""
