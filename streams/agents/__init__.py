"""Faust agents: decode, step, emit, count; nothing else."""
