"""Fix patterns by family: each is a pure function of the program and one error, and registers itself.

Importing this package registers all of them.
"""

from models.repair.patterns import calls, conversions, division, dynamic, options, paths, statics

__all__ = ["calls", "conversions", "division", "dynamic", "options", "paths", "statics"]
