"""An array whose length is known only at its end."""

from __future__ import annotations

import numpy as np

from gdr_model.types import Array


class GrowingArray:
    """An array that grows in place: joining a list of blocks would need twice the memory."""

    def __init__(self) -> None:
        self.size = 0
        self._room = np.empty(1 << 20, np.float32)

    def append(self, block: Array) -> None:
        """Add a block of any shape, flattened."""
        end = self.size + block.size
        if end > self._room.size:
            self._room.resize(max(end, self._room.size * 3 // 2), refcheck=False)
        self._room[self.size : end] = block.reshape(-1)
        self.size = end

    def finished(self) -> Array:
        """Everything appended so far (N,); nothing can be appended afterwards."""
        self._room.resize(self.size, refcheck=False)
        return self._room
