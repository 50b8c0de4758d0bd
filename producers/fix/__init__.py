"""Repairs that rustc and the oracle have looked at: ``repair.repair`` for one text, ``inputs`` for files."""
