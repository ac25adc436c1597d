"""gdr's library: decode, encode, keep, index, embed, draw, search.

    library = gdr_model.Library.open(Path("~/music"))
    retriever = gdr_model.Retriever(gdr_model.load("builtin"), [library])
    for hit in retriever.search(gdr_model.Steering("warm piano")).hits: ...

`__all__` is its public face; each name is imported when it is first used, so that `import
gdr_model` loads nothing else. The library prints nothing, imports no terminal code, and does
nothing at import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdr_model.errors import Cancelled as Cancelled
    from gdr_model.errors import DecodeError as DecodeError
    from gdr_model.errors import GdrError as GdrError
    from gdr_model.errors import Hint as Hint
    from gdr_model.errors import LibraryError as LibraryError
    from gdr_model.errors import ModelError as ModelError
    from gdr_model.errors import SpaceMismatch as SpaceMismatch
    from gdr_model.errors import StoreUnavailable as StoreUnavailable
    from gdr_model.errors import UsageError as UsageError
    from gdr_model.errors import WeightsMissing as WeightsMissing
    from gdr_model.models.checkpoint import Model as Model
    from gdr_model.models.checkpoint import load as load
    from gdr_model.search.interpretations import interpretations as interpretations
    from gdr_model.search.lexicon import Lexicon as Lexicon
    from gdr_model.search.retriever import Retriever as Retriever
    from gdr_model.search.why import explain as explain
    from gdr_model.steering import Edit as Edit
    from gdr_model.steering import Sampler as Sampler
    from gdr_model.steering import Slider as Slider
    from gdr_model.steering import Steering as Steering
    from gdr_model.steering import WeightedText as WeightedText
    from gdr_model.store.ingest import ingest as ingest
    from gdr_model.store.library import Library as Library
    from gdr_model.types import AudioEncoder as AudioEncoder
    from gdr_model.types import Hit as Hit
    from gdr_model.types import LatentSpace as LatentSpace
    from gdr_model.types import Method as Method
    from gdr_model.types import Query as Query
    from gdr_model.types import Results as Results
    from gdr_model.types import TextEncoder as TextEncoder
    from gdr_model.types import Track as Track

__version__ = "0.1.0"

_HOMES = {
    "errors": (
        "Cancelled",
        "DecodeError",
        "GdrError",
        "Hint",
        "LibraryError",
        "ModelError",
        "SpaceMismatch",
        "StoreUnavailable",
        "UsageError",
        "WeightsMissing",
    ),
    "models.checkpoint": ("Model", "load"),
    "search.interpretations": ("interpretations",),
    "search.lexicon": ("Lexicon",),
    "search.retriever": ("Retriever",),
    "search.why": ("explain",),
    "steering": ("Edit", "Sampler", "Slider", "Steering", "WeightedText"),
    "store.ingest": ("ingest",),
    "store.library": ("Library",),
    "types": (
        "AudioEncoder",
        "Hit",
        "LatentSpace",
        "Method",
        "Query",
        "Results",
        "TextEncoder",
        "Track",
    ),
}
"""The public names by the module that defines them."""
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
