"""How many results one artist and one album can have in a list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gdr_model.errors import UsageError
from gdr_model.store.text_match import folded
from gdr_model.types import Track


@dataclass(frozen=True)
class Limits:
    """At most so many results each; 0 is any number."""

    per_artist: int = 0
    per_album: int = 0

    def __post_init__(self) -> None:
        """Validate the numbers.

        Raises:
            UsageError: if one is negative.
        """
        if min(self.per_artist, self.per_album) < 0:
            raise UsageError("the number of results for each artist or album must be 1 or more")

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return bool(self.per_artist or self.per_album)


NO_LIMITS = Limits()


class Allowance:
    """What the limits leave to the next result of a list.

    An artist is one of the artists of the track. An album belongs to its album artist, or to the
    artist where it has none. Tracks without these tags are not limited.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._artists: Counter[str] = Counter()
        self._albums: Counter[tuple[str, str]] = Counter()

    def take(self, track: Track, artist: str) -> bool:
        """Count a result and return True, or return False where it has no room.

        Args:
            track: of the result.
            artist: of the track, or of its section.
        """
        artists = {_same(one) for one in artist.split(";")} - {""}
        album = (_same(track.albumartist or track.artist), _same(track.album))
        full = self._limits.per_artist and any(
            self._artists[one] >= self._limits.per_artist for one in artists
        )
        if album[1]:
            full = full or (
                self._limits.per_album and self._albums[album] >= self._limits.per_album
            )
        if full:
            return False
        self._artists.update(artists)
        if album[1]:
            self._albums[album] += 1
        return True


def _same(name: str) -> str:
    """A form that is equal for the same name, however it is typed."""
    return folded(name).strip()
