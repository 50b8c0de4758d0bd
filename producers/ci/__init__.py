"""Compiler output of every kind in, ``CompilerErrors`` records out."""
