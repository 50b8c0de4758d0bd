"""Near-duplicates are dropped: keys that were seen are kept sorted, 8 bytes for each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]


class Seen:
    """The keys of all programs so far."""

    def __init__(self) -> None:
        self._keys: Keys = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def new(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Return which keys were never seen, the first of each where some are equal; all are seen from now on."""
        _, first = np.unique(keys, return_index=True)
        fresh = np.zeros(len(keys), np.bool_)
        fresh[first] = True
        places = np.searchsorted(self._keys, keys)
        inside = places < len(self._keys)
        fresh[inside] &= self._keys[places[inside]] != keys[inside]
        added = np.sort(keys[fresh])
        self._keys = np.insert(self._keys, np.searchsorted(self._keys, added), added)
        return fresh
