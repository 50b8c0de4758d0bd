"""Repair: what might make a program compile, ranked by what has worked, and the judge of what did.

Pure: rustc's messages and the texts come in, edits go out. ``producers.fix`` runs the compiler and the oracle.
"""
