"""What the library holds and how far indexing is, as the screen shows it."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_tui.app.values import Catalogue, Indexed, Indexing
from gdr_tui.safe_text import clock, literal


@dataclass
class LibraryState:
    """Updated by what threads report."""

    catalogue: Catalogue | None = None
    indexing: Indexing | None = None
    """How far the run under way is."""
    indexed: Indexed | None = None
    """What the last run did."""
    graphs: tuple[int, int] = (0, 0)
    """Passages that are in graphs, of those that will be; only of very large libraries."""
    paused: bool = False
    model_ready: bool = False
    model_failed: bool = False

    @property
    def failed(self) -> int:
        """Files that could not be read."""
        failed = self.indexed.failed if self.indexed else 0
        return failed or (self.catalogue.failures if self.catalogue else 0)

    def fail(self, about: str) -> None:
        """Take note that loading the model or indexing failed."""
        if about == "model" and not self.model_ready:
            self.model_failed = True
        if about == "index":
            self.indexing = None

    def finish(self, indexed: Indexed) -> list[tuple[str, bool]]:
        """Take note of what a run did; what to say of it, each with whether it is a problem."""
        self.indexing, self.indexed = None, indexed
        notices = [(news, False) for news in indexed.news]
        notices += [(problem, True) for problem in indexed.problems]
        if indexed.unavailable:
            files = "1 file" if indexed.unavailable == 1 else f"{indexed.unavailable:,} files"
            notices.append((f"{files} could not be reached and will be tried again", True))
        if indexed.encoded and indexed.failed:
            notices.append((f"{indexed.failed:,} files could not be read; L lists them", False))
        return notices

    def progress(self) -> str:
        """One line about what indexing does, or did."""
        now, last = self.indexing, self.indexed
        if now and self.paused:
            return f"paused at {now.done:,} of {now.total:,}; p resumes"
        if now:
            left = f" · {clock(now.left_s)} left" if now.left_s is not None else ""
            name = f" · {literal(now.path.name)}" if now.path else ""
            return f"indexing {now.done:,} of {now.total:,} · {now.per_s:.1f} files/s{left}{name}"
        if last and last.problems:
            return "not indexed: " + "; ".join(last.problems)
        if self.graphs[0] < self.graphs[1]:
            done, total = self.graphs
            return f"preparing faster search: {done:,} of {total:,} passages"
        if last:
            away = f" · {last.away:,} not there now" if last.away else ""
            put_off = f" · {last.unavailable:,} could not be reached" if last.unavailable else ""
            return f"up to date · scanned in {clock(last.took_s)}{away}{put_off}"
        if self.model_failed:
            return "not indexed: the model could not be loaded"
        return "nothing is being indexed" if self.model_ready else "indexing waits for the model"
