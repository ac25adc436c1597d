"""What is read from a line or a file, against random texts, and against what wrote it."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import scaled

from gdr_model.audio import cue
from gdr_model.errors import GdrError, UsageError
from gdr_model.models.config import SHIPPED, ModelConfig
from gdr_model.notebook.saved_trails import SavedTrail
from gdr_model.steering import Slider, Steering, WeightedText
from gdr_model.store import filters
from gdr_model.types import Section, Track
from gdr_tui.app.settings import Settings, load
from gdr_tui.export import lists, rekordbox
from gdr_tui.export.entries import Entry, TrackList
from gdr_tui.language.syntax import parse, quoted

EXAMPLES = settings(
    max_examples=scaled(20_000, 100),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANY = st.text(max_size=80)
ODD = st.text(st.sampled_from("ab 1.:;-+\"'\\()<>=!~\n\t\0[]{}#,é\u202e\ud800"), max_size=40)
WORD = st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,2}", fullmatch=True).filter(
    lambda text: not {"no", "not", "without", "and", "or", "less", "non"} & set(text.split())
)


@EXAMPLES
@given(ANY | ODD)
def test_any_prompt_line_is_read_or_refused(line: str) -> None:
    try:
        typed = parse(line)
    except UsageError:
        return
    if typed.where:
        filters.parse(typed.where)


@EXAMPLES
@given(
    st.lists(WORD, max_size=3),
    st.dictionaries(WORD, st.integers(1, 20), max_size=3),
    st.dictionaries(WORD, st.integers(-4, 4).filter(bool), max_size=2),
    st.lists(st.integers(1, 99), max_size=3, unique=True),
)
def test_a_prompt_line_means_what_it_was_made_of(
    words: list[str], negatives: dict[str, int], sliders: dict[str, int], likes: list[int]
) -> None:
    line = " ".join([
        *(quoted(text) for text in words),
        *(f"-{quoted(text)}:{weight / 4}" for text, weight in negatives.items()),
        *(f"+{quoted(text)}:{amount / 4}" for text, amount in sliders.items()),
        *(f"like:{rank}" for rank in likes),
    ])  # fmt: skip
    typed = parse(line)
    assert typed.words == " ".join(words)
    assert typed.negatives == tuple(WeightedText(t, w / 4) for t, w in negatives.items())
    assert typed.sliders == tuple(Slider(t, a / 4) for t, a in sliders.items())
    assert typed.likes == tuple(likes)


@EXAMPLES
@given(ANY | ODD | st.text(st.sampled_from("()not ar=1"), max_size=400))
def test_any_filter_is_read_or_refused(expression: str) -> None:
    track = Track(Path("/m/a.flac"), 1.0, "0", artist="a")
    try:
        keeps = filters.parse(expression)
    except UsageError:
        return
    assert keeps(track, "a.flac") in (True, False)


VALUES = st.text(st.sampled_from("ab é'\"\\()=~"), min_size=1, max_size=5).map(str.strip)
VALUES = VALUES.filter(bool)
TREES = st.recursive(
    st.tuples(st.just("text"), st.sampled_from(["artist", "album"]), st.booleans(), VALUES)
    | st.tuples(st.just("number"), st.sampled_from(["=", "<", "<=", ">", ">="]), st.integers(0, 9)),
    lambda inner: (
        st.tuples(st.sampled_from(["and", "or"]), inner, inner) | st.tuples(st.just("not"), inner)
    ),
    max_leaves=8,
)


def written(tree: Any) -> str:
    """A tree in the language of filters."""
    match tree:
        case ("text", field, equal, value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'{field} {"=" if equal else "!="} "{escaped}"'
        case ("number", sign, value):
            return f"bpm {sign} {value}"
        case ("not", inner):
            return f"not ({written(inner)})"
        case (word, left, right):
            return f"({written(left)}) {word} ({written(right)})"
    raise AssertionError(tree)


def holds(tree: Any, track: Track) -> bool:
    """What the tree means."""
    match tree:
        case ("text", field, equal, value):
            return (getattr(track, field) == value) == equal
        case ("number", sign, value):
            signs = {"=": "__eq__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
            return bool(getattr(float(track.bpm or 0), signs[sign])(float(value)))
        case ("not", inner):
            return not holds(inner, track)
        case ("and", left, right):
            return holds(left, track) and holds(right, track)
        case (_, left, right):
            return holds(left, track) or holds(right, track)
    raise AssertionError(tree)


@EXAMPLES
@given(TREES, VALUES, VALUES, st.integers(0, 9))
def test_a_filter_keeps_what_its_tree_keeps(tree: Any, artist: str, album: str, bpm: int) -> None:
    track = Track(Path("/m/a.flac"), 1.0, "0", artist=artist, album=album, bpm=bpm)
    assert filters.parse(written(tree))(track, "a.flac") == holds(tree, track), written(tree)


@EXAMPLES
@given(st.binary(max_size=400) | ODD.map(lambda text: text.encode("utf-8", "replace")))
def test_any_cue_sheet_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.cue").write_bytes(b'FILE "a.wav" WAVE\nTRACK 01 AUDIO\n' + data)
    for sections in cue.read(tmp_path / "a.cue").values():
        starts = [section.start_s for section in sections]
        assert starts == sorted(set(starts))
        assert all(math.isfinite(start) and start >= 0 for start in starts)


TITLES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda text: '"' not in text and len(text) < 100
)


@EXAMPLES
@given(
    st.lists(
        st.tuples(st.integers(0, 400_000), TITLES, TITLES),
        max_size=9,
        unique_by=lambda track: track[0],
    )
)
def test_a_cue_sheet_says_what_it_was_made_of(tracks: list[tuple[int, str, str]]) -> None:
    lines = ['FILE "folder\\album.flac" WAVE']
    for number, (frames, title, artist) in enumerate(tracks, 1):
        minutes, rest = divmod(frames, 60 * 75)
        at = f"{minutes:02}:{rest // 75:02}:{rest % 75:02}"
        lines += [f"TRACK {number:02} AUDIO", f'TITLE "{title}"', f'PERFORMER "{artist}"']
        lines += [f"INDEX 01 {at}"]
    sections = cue.parse("\n".join(lines))["album.flac"]
    expected = {f // 75 + f % 75 / 75: (title, artist) for f, title, artist in tracks}
    assert [(round(s.start_s, 6), s.title, s.artist) for s in sections] == [
        (round(start, 6), *expected[start]) for start in sorted(expected)
    ]
    assert all(isinstance(section, Section) for section in sections)


NAMES = st.binary(min_size=1, max_size=30).filter(
    lambda name: not set(name) & set(b"/\0\n\r") and name not in (b".", b"..")
)


def listed(names: list[bytes], title: str) -> TrackList:
    paths = [Path("/m") / name.decode("utf-8", "surrogateescape") for name in names]
    return TrackList("list", tuple(Entry(p, title, title, "", "", 3.0, 1.5, {}) for p in paths))


@EXAMPLES
@given(st.lists(NAMES, max_size=5), ANY)
def test_a_playlist_names_its_files_in_order(names: list[bytes], title: str) -> None:
    text = lists.m3u8(listed(names, title), None, starts=True)
    lines = text.encode("utf-8", "surrogateescape").split(b"\n")
    assert [line for line in lines if line and line[:1] != b"#"] == [b"/m/" + n for n in names]
    assert sum(line.startswith(b"#EXTINF:3,") for line in lines) == len(names)


@EXAMPLES
@given(st.lists(NAMES, max_size=5), ANY)
def test_rekordbox_finds_its_files_in_order(names: list[bytes], title: str) -> None:
    root = ET.fromstring(rekordbox.document(listed(names, title)))  # noqa: S314 (our own)
    found = [
        unquote_to_bytes(track.attrib["Location"].removeprefix("file://localhost"))
        for track in root.iterfind("COLLECTION/TRACK")
    ]
    assert found == [b"/m/" + name for name in names]
    assert len(root.findall("PLAYLISTS/NODE/NODE/TRACK")) == len(names)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=6,
)


@EXAMPLES
@given(st.data())
def test_a_model_is_as_its_configuration_says_or_refused(tmp_path: Path, data: Any) -> None:
    whole = json.loads((SHIPPED / "config.json").read_text())
    part = data.draw(st.sampled_from([whole, whole["space"], whole["denoiser"], whole["schedule"]]))
    field = data.draw(st.sampled_from(sorted(part)))
    part[field] = data.draw(JSON)
    (tmp_path / "config.json").write_text(json.dumps(whole))
    try:
        config = ModelConfig.read(str(tmp_path))
    except GdrError:
        return
    assert 1 <= config.space.dim <= 20_000
    assert 0 <= config.anchor_share <= 1


@EXAMPLES
@given(ANY | ODD | JSON.map(lambda value: json.dumps({"gdr_session": 1, "queries": value})))
def test_any_saved_trail_and_steering_is_read_or_refused(text: str) -> None:
    for read in (SavedTrail.from_json, Steering.from_json):
        try:
            read(text)
        except GdrError:
            continue


@EXAMPLES
@given(st.sampled_from(["guidance", "steps", "theme", "player", "keys", "x"]), JSON)
def test_any_settings_are_read_or_leave_the_defaults(
    tmp_path: Path, name: str, value: object
) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(f"{name} = {json.dumps(value)}".encode("utf-8", "surrogatepass"))
    chosen, problem = load(file)
    assert problem or isinstance(chosen, Settings)
    if problem:
        assert chosen == Settings()


def test_half_a_character_in_the_place_of_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="holds half a character"):
        SavedTrail.from_json('{"gdr_session": 1, "queries": "\\ud800"}')
