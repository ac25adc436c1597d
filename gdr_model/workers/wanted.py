"""Which latents are wanted: of sounds that have none yet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class NotIn:
    """Whether a content is none of some, which can become more.

    Sent elsewhere, it is a `NotAmong` of those there are by then.
    """

    def __init__(self, contents: set[str]) -> None:
        self._contents = contents

    def __call__(self, content: str) -> bool:
        """Whether it is none of them."""
        return content not in self._contents

    def __reduce__(self) -> tuple[Any, ...]:
        """As what to send; a set of a million would take a hundred megabytes of every reader."""
        return NotAmong, (np.sort(np.array(list(self._contents), "S")),)


class NotAmong:
    """Whether a content is none of some: 32 bytes each, which all readers of a node share."""

    def __init__(self, contents: NDArray[np.bytes_]) -> None:
        """Take contents in ascending order."""
        self._contents = contents

    def __call__(self, content: str) -> bool:
        """Whether it is none of them."""
        wanted = np.bytes_(content.encode())
        at = int(np.searchsorted(self._contents, wanted))
        return at == len(self._contents) or bool(self._contents[at] != wanted)
