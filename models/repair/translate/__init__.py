"""Typed Python to Rust, for the constructs that a repair may regenerate; what is not known raises ``Unsupported``."""
