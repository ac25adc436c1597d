"""The session's part for saved trails: fingerprints of whatever answers."""

from __future__ import annotations

from gdr_tui.app.retrievers import Retrievers
from gdr_tui.app.values import Prints


class Fingerprinter:
    """Computes what a saved trail records of its model and libraries."""

    def __init__(self, retrievers: Retrievers) -> None:
        self._retrievers = retrievers

    def prints(self) -> Prints:
        """Fingerprints of the model and every library, which takes a pass over all their tracks.

        Raises:
            ModelError: while the model is loading.
        """
        from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint

        config = self._retrievers.model().config
        libraries = tuple(LibraryPrint.of(library) for library in self._retrievers.known())
        return Prints(ModelPrint.of(config), libraries)
