"""Where the choices of a generator come from: bytes, each of which decides one thing.

A program is a function of its bytes, so that whatever the bytes are, there is a program: mutating bytes mutates
programs and never breaks one. Padhye et al., "Semantic Fuzzing with Zest" (ISSTA 2019); MacIver and Donaldson,
"Test-Case Reduction via Test-Case Generation" (ECOOP 2020). Bytes that have run out read as 0, the plainest choice.
"""

from __future__ import annotations

from hashlib import blake2b, shake_256
from typing import Final

CHOICES: Final = 1_536  # bytes for a program; what a large one needs

SEED_BITS: Final = 63  # fits a signed column


def seed_of(run: int, purpose: str, index: int) -> int:
    """Return the seed of one program out of a run's: 63 bits, the same on every machine and in every process."""
    digest = blake2b(f"{run}/{purpose}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - SEED_BITS)


def choices_of(seed: int) -> bytes:
    """Return the choices that a program's seed stands for."""
    return shake_256(seed.to_bytes(8, "big")).digest(CHOICES)
