"""From failing programs to findings: each shrunk while it fails in the same way, one of a kind kept, with a folder.

Delta debugging (Zeller and Hildebrandt 2002) on the syntax tree: statements first, then expressions.
"""
