"""Does the Rust do what the Python did? ``oracle.verify`` runs both on the same inputs and compares.

What is compared, and what cannot be, stands in ``docs/verify.md``.
"""
