"""Generates Python programs that parse, run, end, and do the same in every run.

``request.Request`` says what is wanted, ``run.batches`` makes it. ``docs/generate.md`` says what programs there are.
"""
