import os

import pytest

from gdr_model.characters import cut, cut_bytes, last

WHOLE = [
    "e\u0301",  # a letter and its accent
    "हि",  # with a vowel sign
    "👩‍🚀",
    "👍🏽",
    "🇩🇪",
    "\u1112\u1161\u11ab",  # a syllable of three parts
    "❤️",
]


@pytest.mark.parametrize("character", WHOLE)
def test_no_character_is_divided(character: str) -> None:
    text = character * 3
    for length in range(len(text) + 2):
        whole = length // len(character)
        if whole:
            assert cut(text, length) == character * min(3, whole), length
        assert last(text, length) == character * min(3, whole), length
    assert cut(f"abc{character}", 4) == ("abc" if len(character) > 1 else f"abc{character}")


def test_a_single_endless_character_is_cut_all_the_same() -> None:
    assert cut("e" + "\u0301" * 50, 10) == "e" + "\u0301" * 9


@pytest.mark.parametrize("name", ["a" * 300, "é" * 200, "夜" * 100, "👩‍🚀" * 40, "e\u0301" * 150])
def test_a_name_fits_on_disk_and_ends_with_a_whole_character(name: str) -> None:
    for size in range(20, 60):
        kept = cut_bytes(name, size)
        assert len(os.fsencode(kept)) <= size
        assert name.startswith(kept)
        one = len(os.fsencode(name)) // len(kept)
        assert kept == cut(kept + "x", len(kept)), "whole"
        assert size - len(os.fsencode(kept)) < max(one, 12)


def test_names_that_are_not_utf8_are_counted_in_their_bytes() -> None:
    name = os.fsdecode(b"caf\xe9" * 10)
    assert os.fsencode(cut_bytes(name, 9)) == b"caf\xe9caf\xe9c"
