"""Repairs that rustc and the oracle have looked at: ``repair.repair_file`` for one text, ``project`` for a cargo project."""
