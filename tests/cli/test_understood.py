"""Prompts that the model does not read, and prompts that nothing in the library is close to."""

from __future__ import annotations

import pytest

from gdr_model.models.checkpoint import load
from gdr_model.search.understanding import Doubt, Note
from gdr_tui.language.understood import sentence


def unread(prompt: str) -> str:
    """The note on a prompt in a language that the built-in model does not read."""
    understanding = load("builtin", "cpu").understanding
    assert understanding is not None
    return sentence(Note(Doubt.LANGUAGE, prompt, understanding.languages))


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("αργό πιάνο", unread("αργό πιάνο")),
        ("शांत गिटार", unread("शांत गिटार")),
        (
            "flibberty zonk wibblequax",
            'this model may not know the words "flibberty zonk wibblequax"; are they misspelt?',
        ),
        ("insurance policy number", 'nothing here is close to "insurance policy number"'),
        ("female vocals", 'nothing here is close to "female vocals"'),  # the demo has no voices
    ],
)
def test_what_was_not_understood_or_not_found_is_noted(gdr, demo, prompt: str, said: str) -> None:
    result = gdr("search", prompt, "-f", "paths", "-k", 3)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr.startswith("gdr: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("prompt", ["slow sad piano", "flamenco guitar", "driving techno"])
def test_an_ordinary_prompt_has_no_note(gdr, demo, prompt: str) -> None:
    assert gdr("search", prompt, "-f", "paths").stderr == ""


def test_a_note_is_printed_once_for_many_prompts(gdr, demo) -> None:
    prompts = "ήσυχη κιθάρα\nslow sad piano\nήσυχη κιθάρα\n"
    result = gdr("search", "--prompts-file", "-", "-f", "paths", stdin=prompts)
    assert result.stderr == f"gdr: {unread('ήσυχη κιθάρα')}\n"
