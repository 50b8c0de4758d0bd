"""Searching: which programs to try next, and with which settings."""
