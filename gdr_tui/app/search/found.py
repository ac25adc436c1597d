"""The list of results on the screen: what is listed under which title, and why it is empty."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content
from textual.message import Message

from gdr_model.types import Results
from gdr_tui.app.feature import Host
from gdr_tui.app.messages import CatalogueRead, WentWrong
from gdr_tui.app.search.empty import SEARCHING_AGAIN, is_filtered, nothing_found, nothing_yet
from gdr_tui.app.search.jobs import SearchJobs
from gdr_tui.app.search.messages import ConditionsCounted, FilesMissed
from gdr_tui.app.search.results import ResultsList
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.values import Catalogue


class Found:
    """Lists the library, then what queries find."""

    def __init__(self, host: Host, jobs: SearchJobs) -> None:
        self._host = host
        self._jobs = jobs
        self.away: frozenset[Path] = frozenset()
        """Files of the list that are not there now."""
        self.list = ResultsList(id="results")
        self.list.empty = ("reading the library …",)

    def show(self, node: Node, *, keep: bool) -> None:
        """List the results of a query; if a filter left none, count what each condition matches."""
        track = self.list.track if keep else None
        again = SEARCHING_AGAIN if node.stale else None
        self.list.empty = again or nothing_found(node.ask, node.results)
        parent = node.parent.results if node.parent else None
        self.list_results(node.results, parent, track.path if track else None)
        if is_filtered(node.results):
            self._jobs.count_conditions(node.ask.where)

    def take(self, message: Message) -> None:
        """Show what threads found out about the library and about what is listed."""
        match message:
            case ConditionsCounted():
                self._show_counts(message)
            case FilesMissed():
                self._show_away(message.away)
            case CatalogueRead():
                self._show_catalogue(message.catalogue)
            case WentWrong(about="library"):
                self.list.empty = (message.sentence,)
                self.list.refresh()

    def list_results(
        self, results: Results, compared: Results | None, keep: Path | None, note: str = ""
    ) -> None:
        """List hits with their moves since `compared`; the cursor goes to `keep`."""
        self.entitle(results, note)
        self.list.show_results(results, compared, keep)
        self._jobs.look_for([hit.track.path for hit in results.hits])

    def entitle(self, results: Results, note: str) -> None:
        """Name some results over the list, with a note if there is one."""
        title = f"results · {len(results.hits):,} of {results.tracks_searched:,}"
        # Content, because a name or a tag is never markup.
        self.list.border_title = Content(f"{title} · {note}" if note else title)

    def path(self, rank: int) -> Path | None:
        """The track of a rank, from 1; None where there is no such rank."""
        tracks = self.list.tracks
        return tracks[rank - 1].path if 1 <= rank <= len(tracks) else None

    def _show_counts(self, counted: ConditionsCounted) -> None:
        """Say which condition is to blame, if the list is still empty."""
        node = self._host.node
        if node and node.ask.where == counted.where and not node.results.hits:
            self.list.empty = nothing_found(node.ask, node.results, counted.counts)
            self.list.refresh()

    def _show_away(self, away: frozenset[Path]) -> None:
        """Mark what is not there now, and say so where that is news."""
        if away - self.away:
            files = "1 file" if len(away) == 1 else f"{len(away):,} files"
            self._host.say(f"{files} of these results {'is' if len(away) == 1 else 'are'} not "
                           "there now; is a disk not mounted?")  # fmt: skip
        self.away = away
        self._host.refresh_status()

    def _show_catalogue(self, catalogue: Catalogue) -> None:
        """List tracks of the library before the first query."""
        if self._host.node is None:
            self.list.empty = nothing_yet(catalogue)
            count = f" · {catalogue.count:,} tracks" if catalogue.count else ""
            self.list.border_title = f"library{count}"
            self.list.show_tracks(catalogue.first)
