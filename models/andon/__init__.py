"""Andon: the conditions that light the lamp of a partition, the state machine behind it, and what it tells.

``conditions.py`` has the table, ``lamp.py`` the states, ``watchman.py`` what looks at each build in the step.
"""
