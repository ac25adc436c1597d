"""Tags as programs really write them, in every format."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from fractions import Fraction
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex
from mutagen.id3 import (
    CHAP,
    COMM,
    ID3,
    TALB,
    TBPM,
    TCON,
    TDOR,
    TDRC,
    TIT2,
    TKEY,
    TORY,
    TPE1,
    TPE2,
    TXXX,
    TYER,
)
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from gdr_model.audio import Tags, decode, read_tags
from gdr_model.audio.tags import container
from gdr_model.search.recordings.preference import is_lossless
from gdr_model.types import Section, Track

FULL = {
    "title": "Naïma",
    "artist": "Coltrane; Tyner",
    "album": "Giant Steps",
    "genre": "Jazz; Ballad",
    "year": 2008,
    "albumartist": "Various Artists",
    "bpm": 124.5,
    "originalyear": 1960,
    "key": "Eb",
    "comment": "from vinyl",
}


def check(tags: Tags, codec: str, **but: object) -> None:
    for name, value in {**FULL, **but}.items():
        assert getattr(tags, name) == value, name
    assert tags.codec == codec


def id3_frames(version: int) -> ID3:
    tags = ID3()
    tags.add(TIT2(3, ["Naïma"]))
    tags.add(TPE1(1, ["Coltrane", "Tyner"]))
    tags.add(TALB(0, ["Giant Steps"]))
    tags.add(TCON(3, ["(8)", "Ballad"]))
    tags.add(TPE2(3, ["Various Artists"]))
    tags.add(TBPM(3, ["124,5"]))
    tags.add(TKEY(3, ["Eb"]))
    tags.add(COMM(3, "eng", "", ["from vinyl"]))
    tags.add(COMM(3, "eng", "iTunNORM", [" 00000A"]))
    tags.add(TDRC(3, ["2008-09-30"]) if version == 4 else TYER(3, ["2008"]))
    tags.add(TDOR(3, ["1960-01"]) if version == 4 else TORY(3, ["1960"]))
    return tags


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("suffix", [".mp3", ".aac", ".tta", ".wav", ".aiff"])
def test_id3_in_every_place(tmp_path, write_tone, suffix, version):
    path = write_tone(tmp_path / f"a{suffix}")
    frames = id3_frames(version)
    if suffix in (".mp3", ".aac", ".tta"):
        frames.save(path, v2_version=version, v23_sep=None)
    else:
        file = mutagen.File(path)
        file.add_tags()
        for frame in frames.values():
            file.tags.add(frame)
        file.save(v2_version=version, v23_sep=None)
    codec = {".wav": "pcm", ".aiff": "pcm"}.get(suffix, suffix[1:])
    check(read_tags(path), codec)


def test_id3_of_dsf_is_at_its_end(tmp_path):
    tag = tmp_path / "tag"
    tag.write_bytes(b"")
    id3_frames(4).save(tag)
    data = bytes(4096)
    form = struct.pack("<IIIIIIQII", 1, 0, 1, 1, 2822400, 1, len(data) * 8, 4096, 0)
    body = b"fmt " + struct.pack("<Q", 12 + len(form)) + form
    body += b"data" + struct.pack("<Q", 12 + len(data)) + data
    end = 28 + len(body)
    size = end + tag.stat().st_size
    (tmp_path / "a.dsf").write_bytes(
        b"DSD " + struct.pack("<QQQ", 28, size, end) + body + tag.read_bytes()
    )
    tags = read_tags(tmp_path / "a.dsf")
    assert (tags.title, tags.albumartist, tags.codec) == ("Naïma", "Various Artists", "dsd")


def id3(*frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    """A tag of raw frames."""
    body = b"".join(frames)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([version, 0, flags]) + size + body


def frame(name: bytes, content: bytes, flags: int = 0, version: int = 4) -> bytes:
    n = len(content)
    if version == 2:
        return name + n.to_bytes(3, "big") + content
    size = bytes(n >> s & 0x7F for s in (21, 14, 7, 0)) if version == 4 else n.to_bytes(4, "big")
    return name + size + bytes([0, flags]) + content


@pytest.fixture
def tagged(tmp_path, write_tone):
    """`tagged(tag)`: an MP3 that begins with these bytes."""
    sound = write_tone(tmp_path / "plain.mp3").read_bytes()
    path = tmp_path / "tagged.mp3"

    def write(tag: bytes, behind: bytes = b"") -> Path:
        path.write_bytes(tag + sound + behind)
        return path

    return write


def test_old_and_odd_id3(tagged):
    wide = b"\x01" + "\ufeffWide ☃".encode("utf-16-le") + b"\0\0"
    old = [frame(b"TT2", b"\0Old", version=2), frame(b"TYE", b"\x001971", version=2)]
    assert (read_tags(tagged(id3(*old, version=2))).title) == "Old"
    assert (read_tags(tagged(id3(*old, version=2))).year) == 1971
    assert read_tags(tagged(id3(frame(b"TIT2", wide)))).title == "Wide ☃"
    packed = zlib.compress(b"\x03packed")
    v4 = frame(b"TIT2", bytes([0, 0, 0, 7]) + packed, flags=0x09)
    v3 = frame(b"TIT2", (7).to_bytes(4, "big") + packed, flags=0x80, version=3)
    assert read_tags(tagged(id3(v4))).title == "packed"
    assert read_tags(tagged(id3(v3, version=3))).title == "packed"
    unsynchronised = id3(frame(b"TIT2", b"\0\xff\0x", version=3)[:7], version=3)
    read_tags(tagged(unsynchronised))
    raw = frame(b"TIT2", b"\0\xff\xe0y", version=3)
    whole = id3(raw.replace(b"\xff", b"\xff\0"), version=3, flags=0x80)
    assert read_tags(tagged(whole)).title == "ÿày"
    # iTunes once wrote plain sizes into tags of version 4
    big = frame(b"TXXX", b"\x03" + b"x" * 300, version=3)
    assert read_tags(tagged(id3(big, frame(b"TIT2", b"\x03after")))).title == "after"
    assert read_tags(tagged(id3(frame(b"TIT2", b"\x03a\0b\0")))).title == "a; b"


def test_two_tags_and_the_old_one_at_the_end(tagged):
    v1 = b"TAG" + b"V1".ljust(30, b"\0") + b"Caf\xe9".ljust(30) + bytes(30) + b"1979" + bytes(30)
    tags = read_tags(tagged(id3(frame(b"TIT2", b"\x03V2")), v1 + bytes([17])))
    assert (tags.title, tags.artist, tags.year, tags.genre) == ("V2", "Café", 1979, "Rock")
    assert tags.codec == "mp3"


def test_own_frames_are_found_by_their_description(tagged):
    tag = id3(
        frame(b"TXXX", b"\x03originalyear\x001969"),
        frame(b"TXXX", b"\x03initialkey\x007A"),
        frame(b"TXXX", b"\x03ALBUM ARTIST\0Somebody"),
        frame(b"TXXX", b"\x03title\0never instead of the frame"),
        frame(b"TIT2", b"\x03T"),
        frame(b"COMM", b"\x03engiTunSMPB\x00 00000000"),
        frame(b"COMM", b"\x03engnote\0said so"),
    )
    tags = read_tags(tagged(tag))
    assert (tags.originalyear, tags.key, tags.albumartist) == (1969, "7A", "Somebody")
    assert (tags.title, tags.comment) == ("T", "said so")


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus"])
def test_vorbis_comments(tmp_path, write_tone, suffix):
    path = write_tone(tmp_path / f"a{suffix}")
    file = {".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus}[suffix](path)
    if file.tags is None:
        file.add_tags()
    file["TITLE"] = "Naïma"
    file["Artist"] = ["Coltrane", "Tyner"]
    file["album"] = "Giant Steps"
    file["genre"] = ["Jazz", "Ballad"]
    file["date"] = "2008"
    file["ALBUM ARTIST"] = "Various Artists"
    file["bpm"] = "124.50"
    file["originaldate"] = "1960-01-01"
    file["initialkey"] = "Eb"
    file["description"] = "from vinyl"
    file["metadata_block_picture"] = "A" * 3_000_000
    file.save()
    check(read_tags(path), {".ogg": "vorbis"}.get(suffix, suffix[1:]))


def test_mp4(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.m4a")
    file = MP4(path)
    own = "----:com.apple.iTunes:"
    file["\xa9nam"] = "Naïma"
    file["\xa9ART"] = ["Coltrane", "Tyner"]
    file["\xa9alb"] = "Giant Steps"
    file["\xa9gen"] = ["Jazz", "Ballad"]
    file["\xa9day"] = "2008-09-30T07:00:00Z"
    file["aART"] = "Various Artists"
    file["tmpo"] = [124]
    file[own + "initialkey"] = MP4FreeForm(b"Eb")
    file[own + "ORIGINALYEAR"] = MP4FreeForm(b"1960")
    file["\xa9cmt"] = "from vinyl"
    file["covr"] = [b"\x89PNG" + bytes(2_000_000)]
    file.save()
    check(read_tags(path), "aac", bpm=124.0)


@pytest.mark.parametrize("suffix", [".mp3", ".wv"])
def test_ape(tmp_path, write_tone, suffix):
    path = write_tone(tmp_path / f"a{suffix}")
    tags = APEv2()
    for name, value in {
        "Title": "Naïma",
        "Artist": ["Coltrane", "Tyner"],
        "Album": "Giant Steps",
        "Genre": ["Jazz", "Ballad"],
        "Year": "2008",
        "Album Artist": "Various Artists",
        "BPM": "124.5",
        "Originalyear": "1960",
        "KEY": "Eb",
        "Comment": "from vinyl",
    }.items():
        tags[name] = value
    tags.save(path)
    check(read_tags(path), {".wv": "wavpack"}.get(suffix, suffix[1:]))


def test_asf(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wma")
    file = ASF(path)
    file["Title"] = "Naïma"
    file["Author"] = "Coltrane"
    file["WM/AlbumTitle"] = "Giant Steps"
    file["WM/Genre"] = "Jazz"
    file["WM/Year"] = "2008"
    file["WM/AlbumArtist"] = "Various Artists"
    file["WM/BeatsPerMinute"] = "124.5"
    file["WM/OriginalReleaseYear"] = "1960"
    file["WM/InitialKey"] = "Eb"
    file["Description"] = "from vinyl"
    file.save()
    check(read_tags(path), "wma", artist="Coltrane", genre="Jazz")


def test_matroska_and_caf(tmp_path, write_tone):
    for suffix, kind in ((".mka", "matroska"), (".caf", "caf")):
        plain = write_tone(tmp_path / f"plain{suffix}")
        path = tmp_path / f"a{suffix}"
        with av.open(str(plain)) as source, av.open(str(path), "w", format=kind) as target:
            target.metadata.update(
                {"title": "Naïma", "artist": "Coltrane", "album": "Giant Steps", "genre": "Jazz"}
            )
            target.metadata.update({"date": "2008", "album_artist": "Various Artists"})
            stream = target.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        tags = read_tags(path)
        assert (tags.title, tags.artist, tags.album) == ("Naïma", "Coltrane", "Giant Steps")
        assert (tags.genre, tags.year, tags.codec) == ("Jazz", 2008, "pcm")
        assert tags.albumartist == "Various Artists"


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def test_wav_info_and_broadcast_wave(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav")
    info = b"".join(
        chunk(name, text.encode(encoding) + b"\0")
        for name, text, encoding in (
            (b"INAM", "Naïma", "utf-8"),
            (b"IART", "Café", "latin-1"),
            (b"IPRD", "Giant Steps", "ascii"),
            (b"IGNR", "Jazz", "ascii"),
            (b"ICRD", "2008-01-01", "ascii"),
        )
    )
    bext = (
        b"from the desk".ljust(256, b"\0")
        + b"Station".ljust(64, b"\0")
        + b"1999-05-01"
        + bytes(272)
    )
    plain = path.read_bytes()
    for extra in (chunk(b"bext", bext) + chunk(b"LIST", b"INFO" + info), chunk(b"bext", bext)):
        path.write_bytes(plain[:12] + extra + plain[12:])
        tags = read_tags(path)
        if b"INFO" in extra:
            assert (tags.title, tags.artist, tags.album) == ("Naïma", "Café", "Giant Steps")
            assert (tags.genre, tags.year) == ("Jazz", 2008)
        else:
            assert (tags.title, tags.artist, tags.year) == ("", "Station", 1999)
        assert (tags.comment, tags.codec) == ("from the desk", "pcm")
    path.write_bytes(plain + chunk(b"LIST", b"INFO" + info))  # behind the sound
    assert read_tags(path).title == "Naïma"


def test_aiff_without_id3(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.aiff")
    texts = b"NAME\0\0\0\5Naima\0AUTH\0\0\0\4Jazz"
    path.write_bytes(path.read_bytes() + texts)
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.codec) == ("Naima", "Jazz", "pcm")


@pytest.mark.parametrize(
    ("bpm", "read"),
    [("124.00", 124), ("124,5", 124.5), ("0", None), ("fast", None), ("-3", 3), ("99999", None)],
)
def test_tempo(tagged, bpm, read):
    assert read_tags(tagged(id3(frame(b"TBPM", b"\x03" + bpm.encode())))).bpm == read


@pytest.mark.parametrize(
    ("date", "year"), [("1969-05-01", 1969), ("c. 1970", 1970), ("70s", None), ("0000", None)]
)
def test_years(tagged, date, year):
    assert read_tags(tagged(id3(frame(b"TDRC", b"\x03" + date.encode())))).year == year


# Chapters and embedded cue sheets


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


# Tags made to do harm


def measured(path: Path) -> Tags:
    """Read tags, in little time and memory."""
    tracemalloc.start()
    begun = time.perf_counter()
    tags = read_tags(path)
    seconds = time.perf_counter() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 5
    assert peak < 80 << 20
    return tags


def bomb(megabytes: int, flags: int = 0x09) -> bytes:
    """A title of NULs, compressed a thousandfold."""
    packed = zlib.compress(b"\x03" + bytes(megabytes << 20), 9)
    return frame(b"TIT2", bytes([0x7F] * 4) + packed, flags=flags)


TITLE = frame(b"TIT2", b"\x03Here")
HARM = {
    "nuls": id3(frame(b"TIT2", b"\x03" + bytes(4 << 20)), frame(b"TALB", b"\x03A")),
    "packed": id3(bomb(100), frame(b"TALB", b"\x03A")),
    "packed, version 3": id3(
        frame(b"TIT2", b"\x7f" * 4 + zlib.compress(bytes(50 << 20)), flags=0x80, version=3),
        frame(b"TALB", b"\x03A", version=3),
        version=3,
    ),
    "packed frames": id3(*[bomb(1)] * 2000),
    "packed in a chapter": id3(
        frame(b"CHAP", b"c\0" + bytes(16) + bomb(50)), frame(b"TALB", b"\x03A")
    ),
    "frames": id3(TITLE, *[frame(b"TXXX", b"\x03%d\0x" % n) for n in range(200_000)]),
    "chapters": id3(
        TITLE, *[frame(b"CHAP", b"%d\0" % n + bytes(16) + TITLE) for n in range(100_000)]
    ),
    "frames in a chapter": id3(frame(b"CHAP", b"c\0" + bytes(16) + TITLE * 500_000)),
    "comments": id3(*[frame(b"COMM", b"\x03eng%d\0x" % n) for n in range(100_000)]),
    "a comment": id3(frame(b"COMM", b"\x03eng" + bytes(8 << 20)), TITLE),
    "values": id3(frame(b"TCON", b"\x03" + b"1\0" * (1 << 20)), TITLE),
    "unsynchronised": id3(
        frame(b"TIT2", b"\0" + b"\xff\0" * (4 << 20), version=3), version=3, flags=0x80
    ),
    "a cover": id3(TITLE, frame(b"APIC", b"\0image/png\0\3\0" + bytes(20 << 20))),
    "many tags": id3(TITLE) * 10_000,
    "a size beyond the file": id3(TITLE)[:6] + b"\x7f\x7f\x7f\x7f" + TITLE,
}


@pytest.mark.parametrize("kind", HARM)
def test_harmful_id3(tagged, kind, monkeypatch):
    path = tagged(HARM[kind])
    tags = measured(path)
    if kind in ("frames", "chapters", "a comment", "a cover", "many tags", "values"):
        assert tags.title == "Here"
    if kind in ("nuls", "packed", "packed, version 3", "packed in a chapter"):
        assert tags.album == "A"
    plain = decode(path.with_name("plain.mp3"), 16000)
    begun = time.perf_counter()
    if kind != "a size beyond the file":
        assert decode(path, 16000).content == plain.content
    assert time.perf_counter() - begun < 5


def ogg_pages(packets: list[bytes]) -> bytes:
    """Ogg pages of one stream; checksums are left out."""
    data, number = b"", 0
    for n, packet in enumerate(packets):
        lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
        for begin in range(0, len(lacing), 255):
            part = lacing[begin : begin + 255]
            flags = (2 if n == 0 else 0) | (1 if begin else 0)
            head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 0, 7, number, 0, len(part))
            data += head + bytes(part) + packet[begin * 255 : begin * 255 + sum(part)]
            number += 1
    return data


def comments(count: int, claimed: int | None = None, value: bytes = b"x") -> bytes:
    """A block of Vorbis comments, the first of them a title."""
    texts = [b"TITLE=Here", *(b"n%d=" % n + value for n in range(count - 1))]
    block = struct.pack("<I", 0) + struct.pack("<I", len(texts) if claimed is None else claimed)
    return block + b"".join(struct.pack("<I", len(text)) + text for text in texts)


@pytest.mark.parametrize(
    "block",
    [
        comments(500_000),
        comments(3, claimed=2**32 - 1),
        comments(2, value=bytes(15 << 20)),
        comments(1) + b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff" * 3,
    ],
    ids=["many", "count", "long", "length", "noise"],
)
@pytest.mark.parametrize("kind", ["flac", "ogg"])
def test_harmful_vorbis_comments(tmp_path, kind, block):
    path = tmp_path / f"a.{kind}"
    if kind == "flac":
        soundfile.write(path, np.zeros(8000, np.int16), 8000)
        data = path.read_bytes()
        head = data[:4] + b"\0" + data[5:42]
        path.write_bytes(head + b"\x84" + len(block).to_bytes(3, "big") + block)
    else:
        path.write_bytes(ogg_pages([b"\x01vorbis" + bytes(23), b"\x03vorbis" + block]))
    tags = measured(path)
    assert tags.codec == {"ogg": "vorbis"}.get(kind, kind)
    assert tags.title == ("" if block.startswith(b"\xff") else "Here")


def atom(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def test_harmful_mp4(tmp_path):
    path = tmp_path / "a.m4a"
    start = atom(b"ftyp", b"M4A \0\0\0\0")
    title = atom(b"\xa9nam", atom(b"data", b"\0\0\0\1\0\0\0\0Here"))

    def tagged(*items: bytes) -> bytes:
        return atom(b"udta", atom(b"meta", bytes(4) + atom(b"ilst", b"".join(items))))

    deep = b""
    for _ in range(20_000):
        deep = struct.pack(">I", min(8 + len(deep), 2**32 - 1)) + b"moov" + deep
    for moov in (
        tagged(title, *[atom(b"free", b"")] * 300_000),
        tagged(title, atom(b"\xa9ART", atom(b"data", b"\0\0\0\1\0\0\0\0" + bytes(8 << 20)))),
        tagged(title) + b"\0\0\0\1" + b"free" + b"\xff" * 8,
        tagged(title) + deep,
    ):
        path.write_bytes(start + atom(b"moov", moov))
        assert measured(path).title == "Here"
    path.write_bytes(start + deep)
    measured(path)


def test_sound_is_read_past_more_tags_than_any_program_writes(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.m4a")
    plain = path.read_bytes()
    at = plain.index(b"moov") - 4  # the last atom of the file
    before = decode(path, 16000).content
    items = b"".join(
        atom(b"----", atom(b"name", b"\0\0\0\0n%d" % n) + atom(b"data", bytes(8) + b"x"))
        for n in range(40_000)
    )
    head = atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    extra = atom(b"udta", atom(b"meta", bytes(4) + head + atom(b"ilst", items)))
    size = struct.pack(">I", len(plain) - at + len(extra))
    path.write_bytes(plain[:at] + size + plain[at + 4 :] + extra)
    begun = time.perf_counter()
    assert decode(path, 16000).content == before
    assert time.perf_counter() - begun < 4  # quadratic in C: a minute for twice as many
    measured(path)


@pytest.mark.parametrize("count", [3, 2**32 - 1])
def test_harmful_ape(tagged, count):
    item = struct.pack("<II", 4, 0) + b"Title\0Here"
    others = b"".join(struct.pack("<II", 1, 0) + b"n%d\0x" % n for n in range(300_000))
    long = struct.pack("<II", 8 << 20, 0) + b"Artist\0" + bytes(8 << 20)
    for body in (item + others, long + item):
        footer = struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(body) + 32, count, 0)
        assert measured(tagged(b"", body + footer)).title == "Here"
    footer = struct.pack("<8sIIII8x", b"APETAGEX", 2000, 2**32 - 1, count, 0)
    measured(tagged(b"", item + footer))


def test_harmful_chunks(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav")
    plain = path.read_bytes()
    info = chunk(b"INAM", b"Here") + chunk(b"IART", bytes(1 << 20)) + chunk(b"IXXX", b"x") * 200_000
    path.write_bytes(plain[:12] + chunk(b"LIST", b"INFO" + info) + plain[12:])
    assert measured(path).title == "Here"
    path.write_bytes(plain[:12] + chunk(b"junk", b"") * 300_000 + plain[12:])
    measured(path)
    path.write_bytes(plain + b"id3 \xff\xff\xff\xff" + id3(bomb(50), TITLE))
    measured(path)


def test_what_was_collected_elsewhere(golden):
    """Files that stopped other versions for hours, or took hundreds of megabytes."""
    folder = golden("ddim").parents[1] / "cases" / "hostile"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    for name in ("id3_nul.mp3", "id3_zlib.mp3", "seven_one_aac.m4a"):
        measured(folder / name)
        assert decode(folder / name, 16000).duration_s == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("subtype", "codec"), [("ULAW", "mulaw"), ("ALAW", "alaw")])
@pytest.mark.parametrize("form", ["WAV", "AIFF", "AU"])
def test_what_telephones_use_is_not_lossless(tmp_path, form, subtype, codec):
    path = tmp_path / f"a.{form.lower()}"
    soundfile.write(path, np.zeros(8000), 8000, subtype, format=form)
    assert read_tags(path).codec == codec
    assert not is_lossless(Track(path, 1.0, "", codec=codec))


def test_lossless_codecs():
    for name in ("wmalossless", "truehd", "mlp", "mp4als", "alac", "pcm_s16le"):
        short = container._short(name)
        assert is_lossless(Track(Path("a.mka"), 1.0, "", codec=short)), short
    for name in ("wmapro", "wmav2", "aac", "mp3"):
        short = container._short(name)
        assert not is_lossless(Track(Path("a.mka"), 1.0, "", codec=short)), short
