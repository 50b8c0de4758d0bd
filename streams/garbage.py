"""When Python looks for reference cycles: rarely, and never among what a worker keeps.

A worker holds hundreds of thousands of objects (caches of texts, templates, answers), and makes hundreds for each build
that are gone with it. By Python's own thresholds looking took 6 % of a worker's time, and a look at everything 90 ms in
which nothing was answered; now 1.5 % and 17 ms (``docs/decisions/0007-batched-delivery.md``). What is in no cycle is
freed at once all the same.
"""

from __future__ import annotations

import gc

THRESHOLDS = 10_000, 20, 100  # objects made beyond those freed; looks at the youngest per look at the older; of those


def settle() -> None:
    """Take everything there is now for long-lived; what a settling before took for it is looked at once more."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
