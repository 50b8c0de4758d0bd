"""Scores that are hard to fool oneself with: prequential, split by group, beside baselines, with a report."""
