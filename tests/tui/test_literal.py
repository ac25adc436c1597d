from rich.cells import cell_len

from gdr_tui.safe_text import clock, fit, length, literal


def test_letters_of_every_script_are_kept() -> None:
    for text in ("Ágætis byrjun", "夜の散歩", "شارع الليل", "[bold]x[/]", "می‌خواهم"):
        assert literal(text) == text


def test_what_acts_on_the_terminal_becomes_visible() -> None:
    assert literal("a\nb\tc\r") == "a\\nb\\tc\\r"
    assert literal("\x1b[31mred\x07") == "\\x1b[31mred\\x07"
    assert literal("a\u202ecod.exe") == "a\\u202ecod.exe"
    assert literal("a\u2028b\x9b") == "a\\u2028b\\x9b"


def test_broken_utf8_becomes_a_replacement_character() -> None:
    name = b"caf\xe9.mp3".decode("utf-8", "surrogateescape")
    assert literal(name) == "caf\N{REPLACEMENT CHARACTER}.mp3"
    literal(name).encode("utf-8")


def test_fit_counts_cells_not_characters() -> None:
    for text in ("short", "夜の散歩" * 5, "x" * 99, ""):
        for cells in (1, 2, 7, 20):
            assert cell_len(fit(text, cells)) == cells
    assert fit("abcdef", 4) == "abc…"
    assert fit("anything", 0) == ""


def test_clock() -> None:
    assert [clock(s) for s in (-3, 0, 61.9, 3599, 3600)] == ["0:00", "0:00", "1:01", "59:59",
                                                             "1:00:00"]  # fmt: skip


def test_length_is_never_nought_of_a_unit() -> None:
    lengths = [length(s) for s in (0, 7.6, 59, 60, 882, 3599, 3600, 5_400, 36_000_000)]
    assert lengths == [
        "0 s", "8 s", "59 s", "1 min", "15 min", "60 min", "1.0 h", "1.5 h", "10,000.0 h"
    ]  # fmt: skip
