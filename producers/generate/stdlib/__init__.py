"""The standard library as a source of programs: its functions by their type stubs, called with values that matter."""
