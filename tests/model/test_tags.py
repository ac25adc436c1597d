"""Tags as programs really write them, in every format."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
from crafted import chunk, frame, id3
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import (
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
    TYER,
)
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from gdr_model.audio import Tags, read_tags
from gdr_model.audio.tags import container
from gdr_model.search.recordings.preference import is_lossless
from gdr_model.types import Track

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
