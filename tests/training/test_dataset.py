"""Datasets as people have them: every format, every kind of bad row, and splits by track."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import mutagen
import mutagen.id3
import numpy as np
import pytest
from safetensors.numpy import save_file

from gdr_model.errors import UsageError
from training.data import Dataset, DatasetError, Item, read


def table(path: Path, *rows: list[object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def sounds(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"never decoded here")
    return folder


def problems(dataset: Dataset) -> list[str]:
    return [str(problem) for problem in dataset.problems]


# The two public tables


SONGS = ["caption_id", "track_id", "caption", "is_valid_subset", "path"]


def test_song_describer_finds_its_two_minute_files(tmp_path, music) -> None:
    sounds(music, "48/1004.2min.mp3", "07/99.mp3")
    path = table(
        tmp_path / "song_describer.csv",
        SONGS,
        [1, 1004, "A calm\n piano", "True", "48/1004.mp3"],
        [2, 1004, "Slow keys", "False", "48/1004.mp3"],
        [3, 99, "Loud drums", "True", "07/99.mp3"],
        [4, 5, "Gone", "True", "00/5.mp3"],
    )
    found = read(path, music)
    assert found.name == "song_describer"
    assert found.items == (
        Item("1004", "A calm piano", music / "48/1004.2min.mp3", split="valid"),
        Item("1004", "Slow keys", music / "48/1004.2min.mp3"),
        Item("99", "Loud drums", music / "07/99.mp3", split="valid"),
    )
    # The first row has a line break in its caption, so the last begins in line 6.
    assert problems(found) == [
        f"song_describer.csv, line 6: there is no sound 00/5.2min.mp3 in {music}"
    ]
    assert found.tracks == ["1004", "99"]


CAPS = ["ytid", "start_s", "end_s", "caption", "aspect_list", "is_audioset_eval"]


def test_musiccaps_knows_its_stretch_and_evaluation_half(tmp_path, music) -> None:
    sounds(music, "-0Gj.wav", "b.wav")
    path = table(
        tmp_path / "musiccaps-public.csv",
        CAPS,
        ["-0Gj", 30, 40, "Guitar", "['low quality', 'sad']", "True"],
        ["b", 0, 10, "Bass", "[]", "False"],
        ["b", "ten", 20, "Bass", "[]", "False"],
        ["b", "", 20, "Bass", "[]", "False"],
        ["b", 20, 10, "Bass", "[]", "False"],
        ["b", "nan", 10, "Bass", "[]", "False"],
    )
    found = read(path, music)
    first, second = found.items
    assert first == Item("-0Gj", "Guitar", music / "-0Gj.wav", None, 30, 40, "eval")
    assert second.split == "train"
    where = "musiccaps-public.csv, line"
    assert problems(found) == [
        f"{where} 4: start_s is 'ten', not a number",
        f"{where} 5: start_s or end_s is empty",
        f"{where} 6: it ends at 10 s, before it starts",
        f"{where} 7: start_s is nan, not a time",
    ]


# The generic tables


def test_a_table_with_every_kind_of_bad_row_gives_the_good_ones(tmp_path, music) -> None:
    sounds(music, "a.wav", "b.wav")
    path = tmp_path / "mine.csv"
    path.write_bytes(
        b"\xef\xbb\xbffile_path,caption,split\r\n"  # a byte-order mark
        b"a.wav,First,train\r\n"
        b"a.wav,,train\r\n"
        b"a.wav,Too,many,fields\r\n"
        b"a.wav\r\n"
        b"a.wav,Not \xff text,train\r\n"
        b"c.wav,No sound,train\r\n"
        b"a.wav,First,train\r\n"
        b"\r\n"
        b'b.wav,"A ""quoted"",\r\nlong one",test\r\n'
        b'b.wav,"bad" quote,test\r\n'
        b"b.wav,Last,test\r\n"
        b'b.wav,"never closed,test\r\n'
    )
    found = read(path, music)
    assert [(i.track, i.caption, i.split) for i in found.items] == [
        ("a.wav", "First", "train"),
        ("b.wav", 'A "quoted", long one', "test"),
        ("b.wav", "Last", "test"),
    ]
    reported = [text.removeprefix("mine.csv, line ") for text in problems(found)]
    assert reported == [
        "3: the caption is empty",
        "4: it has 4 fields, the header 3",
        "5: it has 1 fields, the header 3",
        "6: the caption is not UTF-8",
        f"7: there is no sound c.wav in {music}",
        "8: it repeats line 2",
        "12: it is no row of a table: ',' expected after '\"'",
        "14: it is no row of a table: unexpected end of data",
    ]
    with pytest.raises(DatasetError, match=r"line 3: the caption is empty \(8 such rows in all\)"):
        read(path, music, strict=True)


def test_file_may_stand_for_file_path_and_words_alone_need_no_sound(tmp_path) -> None:
    path = table(tmp_path / "captions.csv", ["file", "caption"], ["x/y.ogg", "Hi"])
    assert read(path).items == (Item("x/y.ogg", "Hi"),)


def test_jsonl_is_read_line_by_line(tmp_path, music) -> None:
    sounds(music, "a.wav")
    lines: list[bytes] = [
        json.dumps({"file_path": "a.wav", "caption": "One", "track_id": 7, "end_s": 9.5}).encode(),
        b"{",
        b"[1]",
        b"",
        b'{"file_path": "a.wav", "caption": ["x"]}',
        b'{"file_path": "a.wav", "caption": null}',
        b'{"file_path": "a.wav", "caption": "\xff"}',
        b'{"file_path": "a.wav", "caption": "\\ud800"}',
        b'{"file_path": "a\\u0000.wav", "caption": "x"}',
        b"[" * 100_000,
    ]
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n".join(lines))
    found = read(path, music)
    assert found.items == (Item("7", "One", music / "a.wav", end_s=9.5),)
    reported = [text.split(", line ")[1] for text in problems(found)]
    assert [text.split(":")[0] for text in reported] == ["2", "3", "5", "6", "7", "8", "9", "10"]
    assert reported[2] == "5: caption is neither a text nor a number"
    assert reported[5] == "8: the caption is not UTF-8"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no table of captions"),
        (b"a,b\n1,2\n", "its header needs the columns track_id"),
        (b"file_path,caption\n", "holds no caption that can be used"),
        (b"file_path,caption\na.wav,\n", "beginning with x.csv, line 2: the caption is empty"),
        (b"\x00\x01\x02", "is no table"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused_in_one_sentence(tmp_path, content, said) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=said) as caught:
        read(tmp_path / "x.csv")
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_refused(tmp_path, music) -> None:
    path = table(tmp_path / "a.csv", ["file_path", "caption"], ["a", "b"])
    with pytest.raises(UsageError, match="there is no dataset"):
        read(tmp_path / "nothing")
    with pytest.raises(UsageError, match="unknown format 'xml'"):
        read(path, form="xml")
    with pytest.raises(UsageError, match="there is no folder"):
        read(path, tmp_path / "nothing")
    with pytest.raises(DatasetError, match="no folder"):
        read(path, form="folder")
    with pytest.raises(DatasetError, match="is a folder, not csv"):
        read(music, form="csv")
    with pytest.raises(DatasetError, match="has no column ytid"):
        read(path, form="musiccaps")


# A folder of music


def test_tags_become_captions_without_names(music, write_tone) -> None:
    flac = mutagen.File(write_tone(music / "a.flac"))
    flac["title"], flac["artist"], flac["date"] = "Blue Train", "John Coltrane", "1957-09"
    flac["genre"], flac["mood"] = ["Jazz; Hard Bop"], ["warm", "late night"]
    flac["instrument"], flac["comment"] = "saxophone", "one long solo over walking bass"
    flac["description"] = ["Blue Train, live", "see https://x.org", "x" * 400, "JAZZ"]
    flac.save()
    mp3 = mutagen.File(write_tone(music / "sub" / "b.mp3"))
    mp3.add_tags()
    mp3.tags.add(mutagen.id3.TCON(text="Techno"))
    mp3.tags.add(mutagen.id3.TXXX(desc="MOOD", text="dark"))
    mp3.tags.add(mutagen.id3.TXXX(desc="replaygain_track_gain", text="-7 dB"))
    mp3.tags.add(mutagen.id3.COMM(lang="eng", desc="", text="party at four"))
    mp3.tags.add(mutagen.id3.TPE1(text="art"))
    mp3.save()
    write_tone(music / "c.wav")
    found = read(music)
    assert [(item.track, item.caption) for item in found.items] == [
        (
            "a.flac",
            "Jazz, Hard Bop, warm, late night, saxophone, 1950s, one long solo over walking bass",
        ),
        ("sub/b.mp3", "Techno, dark, party at four"),
    ]
    assert found.items[1].path == music / "sub" / "b.mp3"
    assert problems(found) == ["c.wav: none of its tags says what it sounds like"]


# Arrays


def arrays(rows: int = 4) -> dict[str, np.ndarray]:
    return {
        "caption": np.array([f"words {i}" for i in range(rows)]),
        "track_id": np.array([f"t{i // 2}" for i in range(rows)]),
        "posterior": np.arange(rows * 3, dtype=np.float32).reshape(rows, 3),
    }


def test_arrays_come_with_captions_tracks_and_rows(tmp_path) -> None:
    given = arrays(6)
    given["caption"][1] = " "
    given["posterior"][4, 1] = np.nan
    np.savez(tmp_path / "set.npz", **given)
    found = read(tmp_path / "set.npz")
    assert [(i.track, i.row) for i in found.items] == [("t0", 0), ("t1", 2), ("t1", 3), ("t2", 5)]
    assert problems(found) == [
        "set.npz, row 1: the caption is empty",
        "set.npz, row 4: it holds values that are not finite numbers",
    ]
    assert found.gallery_rows() == [0, 2, 5]
    assert found.arrays is not None
    assert found.arrays[found.gallery_rows()].tolist() == given["posterior"][[0, 2, 5]].tolist()
    assert found.of(["t1"]).gallery_rows() == [2]
    assert found.first(2).tracks == ["t0", "t1"]
    with pytest.raises(DatasetError, match="run gdr extract first"):
        Dataset("x", (Item("a", "b"),)).gallery_rows()


def test_safetensors_keep_their_texts_in_the_metadata(tmp_path) -> None:
    given = arrays()
    texts = {name: json.dumps(given[name].tolist()) for name in ("caption", "track_id")}
    latents = np.ones((4, 2, 3), np.float16)
    texts["split"] = json.dumps(["train"] * 3 + ["test"])
    save_file({"latents": latents}, tmp_path / "set.safetensors", texts)
    found = read(tmp_path / "set.safetensors")
    assert [i.split for i in found.items] == ["train"] * 3 + ["test"]
    assert found.arrays is not None
    assert (found.arrays.shape, found.arrays.dtype) == ((4, 2, 3), np.float32)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"caption": None}, "no texts named caption"),
        ({"track_id": np.array(["a"])}, "4 captions, 1 track ids"),
        ({"posterior": None}, "it has none"),
        ({"second": np.zeros((4, 2))}, "it has posterior, second"),
        ({"caption": np.array([{}, {}, {}, {}], dtype=object)}, "cannot be read"),
    ],
)
def test_arrays_that_do_not_say_what_they_are_are_refused(tmp_path, change, said) -> None:
    given = {name: value for name, value in {**arrays(), **change}.items() if value is not None}
    np.savez(tmp_path / "set.npz", **given)
    with pytest.raises(DatasetError, match=said):
        read(tmp_path / "set.npz")


@pytest.mark.parametrize("name", ["x.npz", "x.safetensors"])
def test_a_broken_file_of_arrays_is_refused(tmp_path, name) -> None:
    for content in (b"", b"PK\x03\x04broken", os.urandom(100)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError, match="cannot be read"):
            read(tmp_path / name)


def test_the_real_captions_are_read_whole() -> None:
    shared = os.environ.get("GDR_SHARED")
    if not shared:
        pytest.skip("GDR_SHARED is unset: the real captions are not here")
    found = read(Path(shared) / "data" / "songdescriber_passt_dev.npz")
    assert (len(found.items), len(found.tracks), found.problems) == (856, 549, ())
    assert found.arrays is not None
    assert found.arrays.shape == (856, 527)
