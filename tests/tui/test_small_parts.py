"""The waveform's arithmetic, the negative syntax, the lanes of the background."""

import gc
import re
import threading
import time

import numpy as np
import pytest

from gdr_model.errors import UsageError
from gdr_model.steering import WeightedText
from gdr_model.types import Cancel
from gdr_tui.app import keymap
from gdr_tui.app.background import Background
from gdr_tui.app.playback.waveform import braille, levels
from gdr_tui.app.search.draft import Draft
from gdr_tui.app.search.results import bar
from gdr_tui.app.settings import Settings
from gdr_tui.app.ui.help_dialog import table
from gdr_tui.app.values import measured, sentence
from gdr_tui.gc_control import long_lived


def test_full_scale_fills_every_dot_and_silence_draws_one_line() -> None:
    loud = np.tile(np.array([[-1.0, 1.0]], np.float32), (100, 1))
    assert braille(loud, 10, 3) == ["⣿" * 10] * 3
    assert braille(np.zeros((100, 2), np.float32), 4, 2) == ["⣀" * 4, "⠉" * 4]
    assert braille(np.zeros((0, 2), np.float32), 4, 2) == ["    ", "    "]


def test_a_click_in_silence_stands_in_its_own_column() -> None:
    peaks = np.zeros((100, 2), np.float32)
    peaks[50] = (-1, 1)
    top = braille(peaks, 10, 3)[0]
    assert [column for column, cell in enumerate(top) if cell != "⠀"] == [5]


def test_fewer_peaks_than_columns_are_stretched() -> None:
    assert all(len(line) == 30 for line in braille(np.ones((3, 2), np.float32), 30, 2))


def test_the_profile_keeps_the_best_second_and_does_not_stretch_noise() -> None:
    profile = np.zeros(300, np.float32)
    profile[150] = 0.8
    heights = levels(profile, 30)
    assert heights[15] == 7
    assert sum(heights) == 7
    assert max(levels(np.linspace(0.5, 0.51, 300, dtype=np.float32), 30)) == 1
    assert levels(np.zeros(0, np.float32), 30) == []


def test_bars_are_exact_to_an_eighth() -> None:
    assert bar(0.5, 4) == "██  "
    assert bar(1 / 32, 4) == "▏   "
    assert bar(2, 3) == "███"
    assert bar(-1, 3) == "   "


@pytest.mark.parametrize(
    ("typed", "text", "weight"),
    [
        ("drums", "drums", 1.0),
        (" heavy drums : 1.5 ", "heavy drums", 1.5),
        ("session: live", "session: live", 1.0),
        ("10:30", "10", 30.0),
    ],
)
def test_negatives_are_typed_as_text_and_weight(typed: str, text: str, weight: float) -> None:
    assert WeightedText.parse(typed) == WeightedText(text, weight)


def test_a_negative_that_cannot_be_meant_is_refused() -> None:
    draft = Draft.fresh(Settings())
    for typed in ("", "  ", ":1", "drums:0", "drums:99", "drums:nan"):
        with pytest.raises(UsageError):
            draft.push_away(typed)
    assert not draft.steering.negatives


def test_the_same_negative_again_changes_its_weight() -> None:
    draft = Draft.fresh(Settings())
    draft.push_away("drums")
    draft.push_away("drums:2")
    assert draft.steering.negatives == (WeightedText("drums", 2.0),)


def test_new_work_in_a_lane_cancels_the_old() -> None:
    background, reported = Background(), []
    began = threading.Event()

    def work(cancelled: Cancel) -> None:
        began.set()
        while not cancelled():
            time.sleep(0.005)
        reported.append("stopped")

    background.start("search", work)
    assert began.wait(2)
    background.start("search", lambda cancelled: reported.append("new"))
    assert background.stop(2)
    assert sorted(reported) == ["new", "stopped"]


def test_stopping_does_not_wait_for_what_cannot_be_stopped() -> None:
    background, release = Background(), threading.Event()
    background.start("load", lambda cancelled: bool(release.wait(5)) and None)
    began = time.monotonic()
    assert not background.stop(0.2)
    assert time.monotonic() - began < 1
    release.set()


def test_time_left_is_told_only_when_it_is_known() -> None:
    assert measured(0, 30, 5.0).left_s is None
    assert measured(5, 30, 0.5).left_s is None
    assert measured(10, 30, 5.0).left_s == pytest.approx(10.0)


def test_any_failure_becomes_one_sentence() -> None:
    assert sentence(UsageError("the prompt is empty")) == "the prompt is empty"
    assert sentence(ValueError("bad\nshape")) == "ValueError: bad\\nshape"
    assert sentence(MemoryError()) == "MemoryError"


def test_what_is_loaded_for_good_is_no_garbage() -> None:
    frozen = gc.get_freeze_count()
    try:
        with long_lived():
            collects = gc.isenabled()
        assert not collects
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("used", [{}, {"search.reroll": "ctrl+shift+f12,pagedown,shift+left"}])
def test_columns_of_the_help_never_touch(used: dict[str, str]) -> None:
    lines = table(used).plain.splitlines()
    for _, pressed, _, tooltip, name in keymap.help_rows(used):
        assert any(re.fullmatch(rf" {re.escape(pressed)} +{re.escape(tooltip)} +{name}", line)
                   for line in lines), name  # fmt: skip
    assert keymap.shown("ctrl+shift+f12,shift+down,shift+tab,plus") == "^⇧f12 ⇧↓ ⇧Tab +"
    if not used:
        assert max(map(len, lines)) <= 72, "what a dialog shows in 80 columns"
