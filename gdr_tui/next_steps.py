"""What a user can do about an error, worded for the command line and for the app.

The library's errors carry a `Hint` and its facts; the words are here, because only a face knows
its commands and keys. Where no key of the app helps, it names the command to run.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from gdr_model.errors import GdrError, Hint

COMMANDS: Mapping[Hint, str] = {
    Hint.INDEX: "run gdr index {root}",
    Hint.INDEX_AGAIN: "run gdr index {root} to make them again",
    Hint.INDEX_WITH_MODEL: "run gdr index --model {model} {root}",
    Hint.INDEX_FOLDER_OF: "run gdr index on its folder",
    Hint.REPLACE_LIBRARY: "if this persists, move {store} away and run gdr index {root}",
    Hint.MOUNT_OR_FORGET: "mount its disk, or run gdr forget {root} to forget its tracks",
    Hint.FORGET: "gdr forget {root} removes them",
    Hint.EXCLUDE: (
        "to leave them out, run gdr index --exclude GLOB on the music folder, or put an empty file "
        "called .notmusic into theirs"
    ),
    Hint.FORGET_WHOLE: "add --whole to forget its library anyway",
    Hint.MOVE: "run gdr move {old} {new} if it is that one",
    Hint.DRAW: "use --method gdr",
    Hint.TRAIN: "make one with gdr train CONFIG.yaml --library DIR --model {model}",
    Hint.TRAIN_OR_LOOK_UP: (
        "make one with gdr train CONFIG.yaml --library DIR --model {model}, or search without one "
        "by --method contrastive"
    ),
    Hint.ANY_DEVICE: "use --device auto",
    Hint.PULL: "run gdr model pull {name}, or name their folder with --model",
    Hint.PULL_AGAIN: "run gdr model pull again",
    Hint.FIND_OR_PULL: "or fetch it with gdr model pull {name}",
    Hint.CONVERT: (
        "make them with gdr model convert FILE --pair {pair}, or name their folder with --model"
    ),
    Hint.CONVERT_FOLDER: "run gdr model convert {path} --pair {pair} -o NEW_FOLDER",
    Hint.CONVERT_FILE: "run gdr model convert {path} --pair {pair}",
    Hint.COUNT_TEXT_HEADS: "say how many attention heads it has with --text-heads",
    Hint.ADD_AUDIO_SIDE: "name one with --model clap+{text}",
    Hint.LIST_CRATES: "gdr crate list names them",
    Hint.LIST_LIBRARIES: "gdr status lists the libraries",
    Hint.ACCEPT_TERMS: "accept its terms at {page}, then set HF_TOKEN",
    Hint.INSTALL: "run pip install {package}",
    Hint.SEARCH_HERE: "--index local does without it",
    Hint.UPLOAD: "run gdr index {root} --index {index} to upload it",
    Hint.SAVE_TRAIL: "the app writes one with e in the trail",
}
"""By the options and commands of `gdr`; facts are quoted for a shell."""

KEYS: Mapping[Hint, str] = {
    Hint.INDEX: "press L, then i to index it",
    Hint.INDEX_AGAIN: "press L, then i to make them again",
    Hint.INDEX_WITH_MODEL: "press L, then i to index it with this model",
    Hint.INDEX_FOLDER_OF: "press o and type its folder",
    Hint.REPLACE_LIBRARY: "if this persists, quit, move {store} away and open the folder again",
    Hint.DRAW: "restart with a model that has a retriever",
    Hint.TRAIN_OR_LOOK_UP: COMMANDS[Hint.TRAIN],
    Hint.ANY_DEVICE: "restart with --device auto",
    Hint.SEARCH_HERE: "searches are answered on this machine meanwhile",
    Hint.UPLOAD: "press L, then i to upload it",
    Hint.LIST_CRATES: "press M to see them",
    Hint.SAVE_TRAIL: "press t, then e to write one",
}
"""By the keys of the app, where they help."""


def for_command_line(error: GdrError) -> str:
    """The error and the next step in one sentence, by commands and options."""
    return _joined(error, COMMANDS)


def for_app(error: GdrError) -> str:
    """The error and the next step in one sentence, by keys."""
    return _joined(error, {**COMMANDS, **KEYS})


def step(hint: Hint, **facts: str) -> str:
    """The next step alone, by commands and options."""
    return _worded(COMMANDS[hint], facts)


def _joined(error: GdrError, words: Mapping[Hint, str]) -> str:
    return f"{error}; {_worded(words[error.hint], error.facts)}" if error.hint else str(error)


def _worded(template: str, facts: Mapping[str, str]) -> str:
    return template.format(**{name: shlex.quote(fact) for name, fact in facts.items()})
