"""Values of tags that are spelled differently and are the same."""

from __future__ import annotations

from storing import put

from gdr_model.store.text_match import counted, plain


def test_each_genre_in_a_tag_counts_and_equal_ones_together():
    tags = [("Rock/Pop", 3), ("rock", 2), ("Pop; pop, POP", 1), (" ; ", 9)]
    assert counted("genre", tags) == [("Rock", 5), ("Pop", 4)]


def test_a_name_is_offered_once_however_its_accents_are_encoded():
    assert counted("artist", [("Bjo\u0308rk", 2), ("Bj\u00f6rk", 1), ("BJÖRK", 1)]) == [
        ("Björk", 4)
    ]
    assert counted("artist", [("AC/DC", 1), ("Simon, Garfunkel; AC/DC", 1)]) == [
        ("AC/DC", 2),
        ("Simon, Garfunkel", 1),
    ]


def test_a_library_counts_the_values_of_its_tags(library):
    put(library, "a.mp3", genre="Rock/Pop", year=1969)
    put(library, "b.mp3", genre="rock")
    put(library, "c.mp3", year=2009, originalyear=1969)
    put(library, "d.mp3", originalyear=1970)
    assert library.values("genre") == [("Rock", 2), ("Pop", 1)]
    assert library.values("year") == [("1969", 2), ("1970", 1)]
    assert [len(library.tracks(f"year = {year}")) for year, _ in library.values("year")] == [2, 1]


def test_letters_that_only_look_accented_are_plain():
    assert [plain(word) for word in ("Røyksopp", "Łódź", "Sigur Rós", "Ħ", "Ёлка", "μέλι")] == [
        "royksopp", "lodz", "sigur ros", "h", "елка", "μελι",
    ]  # fmt: skip
