"""One run of the app, as far as it is not on the screen: composed of a part for each feature.

The parts are plain calls, free of Textual and safe from any thread. They alone open libraries,
load models and decode sound; everything heavy is imported inside the call that needs it, so
importing this module loads neither torch nor an index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from gdr_model.search.milvus.address import LOCAL
from gdr_tui.app.explain.compute import Explainer
from gdr_tui.app.explain.jobs import Explains
from gdr_tui.app.library.compute import Holdings, Indexer
from gdr_tui.app.library.jobs import Holds, Indexes
from gdr_tui.app.main.jobs import Loads
from gdr_tui.app.main.libraries import Libraries
from gdr_tui.app.main.retrieval import Retrieval
from gdr_tui.app.map.compute import Mapper
from gdr_tui.app.map.jobs import Maps
from gdr_tui.app.playback.compute import Decoder
from gdr_tui.app.playback.jobs import Decodes
from gdr_tui.app.retrievers import Retrievers
from gdr_tui.app.search.compute import Searcher
from gdr_tui.app.search.jobs import Searches
from gdr_tui.app.trail.compute import Fingerprinter
from gdr_tui.app.trail.jobs import Fingerprints
from gdr_tui.index_workers import workers_beside


class Answers(Retrievers, Loads, Protocol):
    """A model to load, and the retriever over it."""


class Parts(Protocol):
    """What the app needs of a session."""

    on_trouble: Callable[[str], object]
    """Called on a thread with a sentence about a server that does not answer."""

    @property
    def roots(self) -> list[Path]:
        """The music folders."""

    @property
    def model_name(self) -> str:
        """The model, as the user called it."""

    def add(self, root: Path) -> Path:
        """Add another music folder.

        Raises:
            LibraryError: if there is no such folder.
            UsageError: if no folder can have this name.
        """

    @property
    def loader(self) -> Loads:
        """Loads the model."""

    @property
    def searcher(self) -> Searches:
        """Draws queries and answers them."""

    @property
    def explainer(self) -> Explains:
        """Explains results and interprets prompts."""

    @property
    def mapper(self) -> Maps:
        """Projects the library to the plane."""

    @property
    def holdings(self) -> Holds:
        """Lists what the libraries hold."""

    @property
    def indexer(self) -> Indexes:
        """Indexes the folders."""

    @property
    def decoder(self) -> Decodes:
        """Decodes sound."""

    @property
    def fingerprinter(self) -> Fingerprints:
        """Fingerprints the model and the libraries."""


class Session:
    """The real parts, on real folders and a real model."""

    def __init__(
        self,
        roots: list[Path],
        model: str = "builtin",
        device: str = "auto",
        *,
        exclude: Sequence[str] = (),
        index: str = LOCAL,
        retrieval: Callable[[Libraries], Answers] | None = None,
    ) -> None:
        """Open and load nothing yet.

        Args:
            roots: the music folders.
            model: name or path of the model.
            device: where it runs: auto, cpu, cuda or mps.
            exclude: globs of files that no library takes.
            index: where passages are looked for.
            retrieval: makes the model and retriever, where that is not the usual one.
        """
        self.model_name = model
        self.libraries = Libraries(roots)
        self.on_trouble: Callable[[str], object] = lambda why: None
        answers: Answers
        if retrieval:
            answers = retrieval(self.libraries)
        else:
            answers = Retrieval(
                self.libraries, model, device, index=index, trouble=lambda why: self.on_trouble(why)
            )
        self.loader: Loads = answers
        self.searcher: Searches = Searcher(answers)
        self.explainer: Explains = Explainer(answers)
        self.mapper: Maps = Mapper(answers)
        self.holdings: Holds = Holdings(self.libraries)
        # Another process can load no model but one that has files.
        workers = None if retrieval else workers_beside
        self.indexer: Indexes = Indexer(self.libraries, answers, exclude, workers)
        self.decoder: Decodes = Decoder()
        self.fingerprinter: Fingerprints = Fingerprinter(answers)

    @property
    def roots(self) -> list[Path]:
        """The music folders."""
        return self.libraries.roots

    def add(self, root: Path) -> Path:
        """Add another music folder.

        Raises:
            LibraryError: if there is no such folder.
            UsageError: if no folder can have this name.
        """
        return self.libraries.add(root)

    def close(self) -> None:
        """Close the libraries."""
        self.libraries.close()
