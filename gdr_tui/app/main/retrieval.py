"""One model, and the retriever over every library: one query at a time, from any thread.

Everything heavy is imported inside the call that needs it, so importing this module loads
neither torch nor an index. `load` must have returned before anything else is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from gdr_model.errors import Hint, IndexUnavailable, LibraryError, ModelError
from gdr_model.patience import is_folder
from gdr_model.search.milvus.address import LOCAL
from gdr_model.types import Cancel, never
from gdr_tui.app.main.libraries import Libraries
from gdr_tui.app.values import Loaded, sentence
from gdr_tui.gc_control import long_lived
from gdr_tui.safe_text import literal
from gdr_tui.torch_threads import use_threads_for

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.models.kept import Choice
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library

REMEMBERED = 64
"""Draws kept in memory, a few kilobytes each: going back in the trail, likes, bans and filters are
answered from them at once."""


def load_model(name: str, device: str) -> Model:
    """Load a model from its files."""
    from gdr_model.models import checkpoint

    model = checkpoint.load(name, device)
    use_threads_for(model.config)
    return model


def retriever_over(
    model: Model,
    libraries: list[Library],
    index: str = LOCAL,
    trouble: Callable[[str], object] = lambda why: None,
) -> Retriever:
    """A retriever that remembers some draws, and answers without a server that does not.

    Raises:
        UsageError: if there is no such index.
    """
    from gdr_model.search.indexed.choice import opener
    from gdr_model.search.retriever import Retriever

    def report(why: IndexUnavailable) -> None:
        if why.hint is not Hint.UPLOAD:  # what is not there yet is being uploaded
            trouble(sentence(why))

    return Retriever(model, libraries, REMEMBERED, opener(index, report, strict=False))


def _news(choice: Choice) -> str:
    """What is said of a model that does not answer for everything, or not for long; else ""."""
    names = " and ".join(library.root.name for library in choice.others)
    if not choice.is_earlier:
        was, it_is = ("was", "it is") if len(choice.others) == 1 else ("were", "they are")
        again = f"indexed with an earlier model and can be searched once {it_is} re-encoded"
        return names and f"{names} {was} {again}"
    answers = "this index was made with an earlier model, which answers until all is re-encoded"
    return f"{answers}; {names} cannot be searched until then" if names else answers


class Retrieval:
    """Loads the model and hands out the retriever."""

    def __init__(
        self,
        libraries: Libraries,
        name: str = "builtin",
        device: str = "auto",
        *,
        index: str = LOCAL,
        trouble: Callable[[str], object] = lambda why: None,
        load: Callable[[str, str], Model] = load_model,
        over: Callable[[Model, list[Library]], Retriever] | None = None,
    ) -> None:
        """Load nothing yet.

        Args:
            libraries: where queries are answered from.
            name: name or path of the model.
            device: auto, cpu, cuda or mps.
            index: where passages are looked for.
            trouble: called with a sentence when a server does not answer.
            load: loads the model of a name to a device.
            over: makes the retriever over some libraries, where that is not the usual one.
        """
        self._name, self._device = name, device
        self._load = load
        self._over = over or partial(retriever_over, index=index, trouble=trouble)
        self._libraries = libraries
        self._model: Model | None = None
        """What answers."""
        self._newest: Model | None = None
        """What the libraries are indexed with, if that is not what answers."""
        self._retriever: Retriever | None = None
        self._shelved: list[Library] = []
        self._generations: list[int] = []
        """The libraries the retriever was made for, and their generations when it last looked."""
        self._answering = threading.Lock()
        """One query or refresh at a time: they share the index."""
        self._undisturbed = threading.Event()
        """No query is being drawn, so indexing can use the CPU."""
        self._undisturbed.set()

    @long_lived()
    def load(self) -> Loaded:
        """Load the model, and an earlier one if that made what is indexed and so has to answer.

        Raises:
            ModelError: if it is missing or malformed.
        """
        newest = self._load(self._name, self._device)
        choice = self._choice(newest)
        if choice and choice.is_earlier:
            self._model, self._newest = self._load(choice.config.argument, self._device), newest
        else:
            self._model, self._newest = newest, None
        return self._loaded(_news(choice) if choice else "")

    @long_lived()
    def catch_up(self) -> Loaded | None:
        """Let the newest model answer in place of an earlier one, unless that still finds more.

        What its first query needs is loaded before, so that no query waits for it. None if nothing
        changes.
        """
        newest = self._newest
        choice = self._choice(newest) if newest else None
        if newest is None or choice is None or choice.is_earlier:
            return None
        with suppress(ModelError):  # the next query says what is missing
            newest.text.embed(["music"])
        try:
            libraries = self._searched(newest)
            generations = [library.generation for library in libraries]
            retriever = self._over(newest, libraries)
        except LibraryError:  # so would any query; the next run tries again
            return None
        with self._answering:
            if stays := self._newest is newest:
                self._model, self._newest = newest, None
                self._retriever, self._shelved = retriever, libraries
                self._generations = generations
        if not stays:  # it was loaded again on the CPU meanwhile
            return self.catch_up()
        return self._loaded("the new model answers from now on")

    @long_lived()
    def to_cpu(self) -> Loaded | None:
        """Load what answers again on the CPU, which has memory to spare; None if it was there."""
        with self._answering:
            model, newest = self.model(), self._newest
            if model.device.type == "cpu":
                return None
            self._device, self._retriever = "cpu", None
            if newest:
                newest = self._load(self._name, "cpu")
                self._model = self._load(model.config.argument, "cpu")
            else:
                self._model = self._load(self._name, "cpu")
            self._newest = newest
            return self._loaded()

    @long_lived()
    def warm(self) -> None:
        """Load the text side too, which the model would put off until the first query.

        Raises:
            WeightsMissing: if the text weights have to be downloaded first.
        """
        with self._answering:  # two threads would load it twice
            self.model().text.embed(["music"])

    def refresh(self) -> bool:
        """Let queries find what was indexed since; True if there is anything new."""
        with self._answering:
            before = self._generations
            self._current()
            return self._generations != before

    def prepare(self, on_progress: Callable[[int, int], object], cancelled: Cancel = never) -> None:
        """Load, build or upload what makes searches faster; queries are answered meanwhile.

        Raises:
            IndexUnavailable: if a server cannot be reached.
            LibraryError: if a library cannot be read.
            Cancelled: when asked; what is finished is kept.
        """
        with self.retriever() as retriever:
            indexes = [opened.index for opened in retriever.libraries]

        def polled() -> bool:
            self.wait_for_queries(cancelled)
            return cancelled()

        for index in indexes:
            index.prepare(on_progress, polled)

    def model(self) -> Model:
        """The model.

        Raises:
            ModelError: while it is loading.
        """
        if self._model is None:
            raise ModelError("the model is still loading; the query runs once it is loaded")
        return self._model

    def newest(self) -> Model:
        """The model that libraries are indexed with, whether or not it answers yet.

        Raises:
            ModelError: while it is loading.
        """
        return self._newest or self.model()

    def known(self) -> list[Library]:
        """The libraries of all folders that were ever indexed."""
        return self._libraries.known()

    def generations(self) -> list[int]:
        """A number for every library, which changes whenever any program changes the library."""
        return self._libraries.generations()

    @contextmanager
    def retriever(self) -> Iterator[Retriever]:
        """The retriever over every library, held by one thread at a time."""
        with self._answering:
            yield self._current()

    @contextmanager
    def drawing(self) -> Iterator[Retriever]:
        """The same, with indexing paused meanwhile."""
        with self._answering:
            self._undisturbed.clear()
            try:
                yield self._current()
            finally:
                self._undisturbed.set()

    def wait_for_queries(self, cancelled: Cancel) -> None:
        """Block while a query is being drawn."""
        while not self._undisturbed.wait(0.1) and not cancelled():
            pass

    def _current(self) -> Retriever:
        """The retriever over every library, with everything that is in them by now."""
        model = self.model()
        libraries = self._searched(model)
        generations = [library.generation for library in libraries]
        if self._retriever is None or self._shelved != libraries:
            with long_lived():
                self._retriever = self._over(model, libraries)
            self._shelved = libraries
        elif generations != self._generations:
            self._retriever.refresh()
        self._generations = generations
        return self._retriever

    def _searched(self, model: Model) -> list[Library]:
        """The libraries of all folders, without those whose latents are all another model's.

        Raises:
            LibraryError: if there are none.
        """
        roots = self._libraries.roots
        if not roots:
            raise LibraryError("there is no library yet; press o to add a music folder")
        known = [
            self._libraries.opened(root) if is_folder(root) else self._libraries.existing(root)
            for root in list(roots)
        ]
        libraries = [library for library in known if library]
        if not libraries:
            raise LibraryError(f"{literal(str(roots[0]))} is not there now")
        if len(libraries) == 1:
            return libraries
        return [
            library
            for library in libraries
            if not (found := library.spaces()) or model.space in found
        ] or libraries

    def _choice(self, newest: Model) -> Choice | None:
        """Which model answers for the libraries there are; None if one of them cannot be read."""
        from gdr_model.models import kept

        with suppress(LibraryError):
            return kept.choose(newest.config, self.known())
        return None

    def _loaded(self, news: str = "") -> Loaded:
        model = self.model()
        name = model.name if model.networks else f"{model.name}, contrastive"
        return Loaded(f"{name}, earlier" if self._newest else name, str(model.device), news)
