"""Weak labels: functions that vote, what each one's vote is worth, and the soft label that follows."""
