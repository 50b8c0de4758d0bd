"""The improvement loop: transpile, compile, classify, repair, learn, again, until a target, a plateau or a budget."""
