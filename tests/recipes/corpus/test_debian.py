"""Debian packages: real ones of a few kilobytes, made here, fetched and unpacked once."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recipes.builtin.corpus.debian import AUDIO, UNKNOWN, fetch, is_music, licence_of
from recipes.builtin.corpus.packages import FREE_FORM, GENRES, MUSIC

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="this is not Debian")


def build(package: str, work: Path, more: dict[str, bytes] | None = None) -> Path:
    """Build the package with a track and a game's archive, where `apt-get download` puts it."""
    root = work / "build" / package
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {package}\nVersion: 1.0\nArchitecture: all\nMaintainer: A B <a@b.org>\n"
        "Description: music\n"
    )
    data = root / "usr/share/games" / package
    data.mkdir(parents=True)
    (data / "calm.ogg").write_bytes(b"OggS calm")
    for name, content in (more or {}).items():
        (data / name).write_bytes(content)
    with zipfile.ZipFile(data / "data.pk3", "w") as archive:
        archive.writestr("music/storm.ogg", b"OggS storm")
        archive.writestr("maps/castle.bsp", b"no sound")
        archive.writestr("../escape.ogg", b"OggS outside")
    debs = work / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    deb = debs / f"{package}_1.0_all.deb"
    subprocess.run(["dpkg-deb", "-b", str(root), str(deb)], check=True, capture_output=True)
    shutil.rmtree(work / "build")
    return deb


@needs_dpkg
def test_a_package_is_unpacked_with_the_music_in_its_archives(tmp_path: Path) -> None:
    build("nexuiz-music", tmp_path)
    folder = fetch("nexuiz-music", tmp_path)
    assert folder == tmp_path / "unpacked" / "nexuiz-music"
    data = folder / "usr/share/games/nexuiz-music"
    assert (data / "calm.ogg").read_bytes() == b"OggS calm"
    assert (data / "data" / "music" / "storm.ogg").read_bytes() == b"OggS storm"
    assert not (data / "data" / "maps").exists()  # only sound is taken out
    assert not (data / "data.pk3").exists()  # and the archive is not needed again
    outside = [path for path in tmp_path.rglob("escape.ogg") if data / "data" not in path.parents]
    assert outside == []  # an archive writes nowhere but into its folder


@needs_dpkg
def test_a_package_is_unpacked_once(tmp_path: Path) -> None:
    deb = build("asc-music", tmp_path)
    folder = fetch("asc-music", tmp_path)
    deb.unlink()  # nothing is left to unpack, and nothing is downloaded
    track = folder / "usr/share/games/asc-music/calm.ogg"
    track.write_bytes(b"touched")
    assert fetch("asc-music", tmp_path) == folder
    assert track.read_bytes() == b"touched"


@needs_dpkg
def test_unpacking_that_was_interrupted_is_done_again(tmp_path: Path) -> None:
    build("asc-music", tmp_path)
    folder = fetch("asc-music", tmp_path)
    (folder / ".complete").unlink()
    track = folder / "usr/share/games/asc-music/calm.ogg"
    track.unlink()
    fetch("asc-music", tmp_path)
    assert track.read_bytes() == b"OggS calm"


@needs_dpkg
def test_what_is_missing_is_downloaded_by_apt_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deb = build("asc-music", tmp_path / "archive")
    commands = tmp_path / "bin"
    commands.mkdir()
    apt = commands / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncp {deb} .\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    folder = fetch("asc-music", tmp_path / "work")
    assert (folder / "usr/share/games/asc-music/calm.ogg").is_file()
    assert (tmp_path / "asked").read_text().split()[-2:] == ["download", "asc-music"]


# What is music

FRETS = "/usr/share/games/fretsonfire/songs/x"


@pytest.mark.parametrize(
    ("package", "name", "music"),
    [
        ("fretsonfire-songs-sectoid", f"{FRETS}/song.ogg", True),
        ("fretsonfire-songs-sectoid", f"{FRETS}/guitar.ogg", False),
        ("drascula-music", "/usr/share/scummvm/drascula/audio/track1.ogg", True),
        ("drascula-music", "/usr/share/scummvm/drascula/audio/de/line1.ogg", False),
        ("asc-music", "/usr/share/games/asc/guitar.ogg", True),
        ("0ad-data", "/usr/share/games/0ad/mods/public/public/audio/music/Taiko_1.ogg", True),
        ("0ad-data", "/usr/share/games/0ad/mods/public/public/audio/ambient/rain.ogg", False),
        ("supertuxkart-data", "/usr/share/games/supertuxkart/data/music/celtic.ogg", True),
        ("supertuxkart-data", "/usr/share/games/supertuxkart/data/music/celtic_fast.ogg", False),
        ("trackballs-data", "/usr/share/games/trackballs/music/tb_sorrow.ogg", True),
        ("trackballs-data", "/usr/share/games/trackballs/music/crazy.ogg", False),
    ],
)
def test_speech_stems_noises_and_other_versions_are_not_music(
    package: str, name: str, music: bool
) -> None:
    assert is_music(package, name) is music


def module(notes: int) -> bytes:
    """A ProTracker module of one pattern in which a square wave plays that many notes."""
    wave = bytes([64] * 16 + [192] * 16)
    sample = b"square".ljust(22, b"\0") + bytes([0, 16, 0, 64, 0, 0, 0, 16])
    empty = (b"".ljust(22, b"\0") + bytes([0, 0, 0, 0, 0, 0, 0, 1])) * 30
    rows = b"".join(
        (bytes([1, 172, 16, 0]) if row % 16 == 0 and row // 16 < notes else bytes(4)) + bytes(12)
        for row in range(64)
    )
    order = bytes([1, 127]) + bytes(128)
    return b"song".ljust(20, b"\0") + sample + empty + order + b"M.K." + rows + wave


def reads_modules() -> bool:
    if shutil.which("ffmpeg") is None:
        return False
    formats = subprocess.run(["ffmpeg", "-formats"], capture_output=True, text=True, check=True)
    return "libopenmpt" in formats.stdout


@needs_dpkg
@pytest.mark.skipif(not reads_modules(), reason="this has no ffmpeg with libopenmpt")
def test_tracker_modules_are_rendered_once_through(tmp_path: Path) -> None:
    build("pingus-data", tmp_path, {"tune.mod": module(notes=4)})
    folder = fetch("pingus-data", tmp_path)
    sound, rate = soundfile.read(folder / "usr/share/games/pingus-data/tune.mod.ogg")
    assert len(sound) / rate == pytest.approx(64 * 6 * 0.02, abs=0.2)  # rows of six 20 ms ticks
    assert np.sqrt((sound**2).mean()) > 0.01


# Licences

DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2011 Somebody
License: GPL-2+

Files: music/storm.ogg
 music/*-caves.ogg
Copyright: 2012 Another
License: CC-BY-SA-3.0

License: GPL-2+
 On Debian systems see /usr/share/common-licenses/GPL-2.
"""


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("/games/hyperrogue/music/calm.ogg", "GPL-2+"),
        ("/games/hyperrogue/music/storm.ogg", "CC-BY-SA-3.0"),
        ("/games/hyperrogue/music/deep-caves.ogg", "CC-BY-SA-3.0"),
    ],
)
def test_the_last_paragraph_that_matches_gives_the_licence(name: str, licence: str) -> None:
    assert licence_of("hyperrogue-music", DEP5, name) == licence


def test_a_file_that_no_paragraph_names_has_no_known_licence() -> None:
    text = DEP5.replace("Files: *", "Files: src/*.c")
    assert licence_of("hyperrogue-music", text, "/games/hyperrogue/music/calm.ogg") == UNKNOWN
    assert licence_of("hyperrogue-music", "", "/games/hyperrogue/music/calm.ogg") == UNKNOWN


@pytest.mark.parametrize("package", sorted(FREE_FORM))
def test_prose_is_believed_only_while_it_says_what_it_said(package: str) -> None:
    licence, words = FREE_FORM[package]
    assert licence_of(package, f"The music is free.\n\n{words}, and more.") == licence
    assert licence_of(package, "All rights reserved.") == UNKNOWN


def test_prose_belongs_to_packages_that_are_fetched() -> None:
    assert set(FREE_FORM) | set(MUSIC) <= set(GENRES)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in AUDIO)
