"""Chapters and embedded cue sheets, in every format that has them."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import mutagen
import pytest
from crafted import frame, id3
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex
from mutagen.id3 import (
    CHAP,
    ID3,
    TIT2,
    TXXX,
)
from mutagen.mp4 import MP4, MP4FreeForm

from gdr_model.audio import read_tags
from gdr_model.types import Section


def test_chapters_of_an_mp3(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.mp3")
    tags = ID3()
    picture = frame(b"APIC", b"\0image/png\0\0\0" + bytes(40_000))
    for n, title in enumerate(("Intro", "Main")):
        tags.add(CHAP(element_id=f"c{n}", start_time=n * 1500, end_time=2000,
                      sub_frames=[TIT2(3, [title])]))  # fmt: skip
    tags.save(path)
    assert read_tags(path).sections == (Section(0.0, "Intro"), Section(1.5, "Main"))
    content = b"c\0" + struct.pack(">IIII", 500, 0, 0, 0) + picture + frame(b"TIT2", b"\x03After")
    (tmp_path / "b.mp3").write_bytes(id3(frame(b"CHAP", content)))
    assert read_tags(tmp_path / "b.mp3").sections == (Section(0.5, "After"),)


@pytest.mark.parametrize("suffix", [".ogg", ".flac"])
def test_chapters_and_cue_sheets_in_comments(tmp_path, write_tone, suffix):
    path = write_tone(tmp_path / f"a{suffix}")
    file = mutagen.File(path)
    file["CHAPTER002"] = "00:01:01.500"
    file["CHAPTER001"] = "00:00:00.000"
    file["CHAPTER001NAME"] = "Intro"
    file.save()
    assert read_tags(path).sections == (Section(0.0, "Intro"), Section(61.5, "Chapter 2"))
    file["cuesheet"] = (
        'PERFORMER "Band"\nFILE "a.wav" WAVE\n'
        + 'TRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\n' * 1
        + 'TRACK 02 AUDIO\nTITLE "Two"\nINDEX 01 00:01:00\n'
        + "REM " + "x" * 9000
    )  # fmt: skip
    file.save()
    assert read_tags(path).sections == (Section(0.0, "One", "Band"), Section(1.0, "Two", "Band"))


def test_cue_sheets_in_the_tags_of_other_formats(tmp_path, write_tone):
    sheet = 'FILE "a.wav" WAVE\r\n' + "".join(
        f'TRACK {n:02} AUDIO\r\nTITLE "{"x" * 90} {n}"\r\nINDEX 01 {n}:00:00\r\n' for n in range(99)
    )
    ape = write_tone(tmp_path / "a.mp3")
    tags = APEv2()
    tags["Cuesheet"] = sheet
    tags.save(ape)
    id3v2 = write_tone(tmp_path / "b.mp3")
    own = ID3()
    own.add(TXXX(encoding=3, desc="CUESHEET", text=sheet))
    own.save(id3v2)
    mp4 = write_tone(tmp_path / "c.m4a")
    atoms = MP4(mp4)
    atoms["----:com.apple.iTunes:CUESHEET"] = [MP4FreeForm(sheet.encode())]
    atoms.save()
    for path in (ape, id3v2, mp4):
        sections = read_tags(path).sections
        assert len(sections) == 99, path
        assert sections[98] == Section(98 * 60.0, "x" * 90 + " 98")


def test_the_cue_sheet_block_of_a_flac(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.flac")
    file = FLAC(path)
    file.cuesheet = CueSheet(None)
    for number, start in ((1, 0), (2, 44100), (170, 88200)):
        track = CueSheetTrack(number, start)
        if number != 170:
            track.indexes.append(CueSheetTrackIndex(1, 0))
        file.cuesheet.tracks.append(track)
    file.metadata_blocks.append(file.cuesheet)
    file.save()
    assert read_tags(path).sections == (Section(0.0, "Track 1"), Section(1.0, "Track 2"))


@pytest.mark.parametrize("suffix", [".m4b", ".mka"])
def test_chapters_of_containers(tmp_path, write_tone, suffix):
    plain = write_tone(tmp_path / f"plain{suffix}", seconds=6)
    path = tmp_path / f"a{suffix}"
    kind = {".m4b": "ipod", ".mka": "matroska"}[suffix]
    with av.open(str(plain)) as source, av.open(str(path), "w", format=kind) as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        target.set_chapters(
            [
                {"id": n, "start": begin * 1000, "end": end * 1000,
                 "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                for n, (begin, end, title) in enumerate(((0, 3, "Eins"), (3, 6, "Zwei ☃")))
            ]
        )  # fmt: skip
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert read_tags(path).sections == (Section(0.0, "Eins"), Section(3.0, "Zwei ☃"))
