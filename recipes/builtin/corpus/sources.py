"""Fetch the free music that teaches the built-in encoder, and list it one track a line.

    python -m recipes.builtin.corpus.sources --work DIR

The music comes from Debian's own packages of game music (`apt-get download`, no root needed) and,
when `GDR_SHARED` names a folder that has them, from the excerpts in
`$GDR_SHARED/data/free_music`. Every step skips what is already there. The answer is
`DIR/sources.jsonl`: id, path, source, licence, genre, duration_s, split, and for excerpts also
title, artist and voice. Ids do not depend on DIR, so the 15 % held out are the same tracks
everywhere.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path

import soundfile

GENRES: dict[str, str | None] = {
    "asc-music": "game (orchestral)",
    "colobot-common-sounds": "game/ambient (synth)",
    "drascula-music": "game (adventure)",
    "fillets-ng-data": "game/ambient (synth)",
    "fretsonfire-songs-muldjord": "heavy metal",
    "fretsonfire-songs-sectoid": "rock/metal",
    "frozen-bubble-data": "game (tracker)",
    "gunroar-data": "game/techno",
    "hyperrogue-music": None,
    "lincity-ng-data": None,
    "nexuiz-music": "electronic (game)",
    "parsec47-data": "game/techno",
    "planetblupi-music-ogg": "game (synth)",
    "rrootage-data": "game/techno",
    "singularity-music": "electronic/ambient",
    "starfighter-data": "game (tracker)",
    "torus-trooper-data": "game/techno",
    "tumiki-fighters-data": "game/techno",
    "ufoai-music": None,
    "warzone2100-music": "game/ambient (electronic)",
    "wesnoth-1.16-music": "game (orchestral)",
}
"""The packages, each with the word for its music where one word is fair."""

FREE_FORM: dict[str, tuple[str, str]] = {
    "fillets-ng-data": ("GPL-2+", "it under the terms of the GNU General Public License"),
    "fretsonfire-songs-muldjord": ("CC-BY-SA-3.0", "creativecommons.org/licenses/by-sa/3.0"),
    "fretsonfire-songs-sectoid": ("Expat", "Permission is hereby granted, free of charge"),
    "gunroar-data": ("BSD-2-Clause", "Redistribution and use in source and binary forms"),
    "nexuiz-music": ("GPL-2+", "GNU General Public License"),
    "parsec47-data": ("BSD-2-Clause", "Redistribution and use in source and binary forms"),
    "rrootage-data": ("BSD-2-Clause", "Redistribution and use in source and binary forms"),
    "singularity-music": ("CC-BY-SA-3.0", "CREATIVE COMMONS PUBLIC LICENSE"),
    "torus-trooper-data": ("BSD-2-Clause", "Redistribution and use in source and binary forms"),
    "tumiki-fighters-data": ("BSD-2-Clause", "Redistribution and use in source and binary forms"),
    "wesnoth-1.16-music": ("GPL-2+", "GNU General Public License"),
}
"""Licence of the music where the copyright file is prose, and the words in it that say so."""

AUDIO = {".ogg", ".oga", ".opus", ".mp3", ".flac", ".wav"}
LINKED_S = 600.0
"""Longer tracks are no songs, and stay out of a library of links."""
MIN_S = 20.0
TEST_SHARE = 0.15


@dataclass(frozen=True)
class SourceTrack:
    """One track of training music."""

    id: str
    path: str
    source: str
    licence: str
    genre: str | None
    duration_s: float
    split: str
    title: str | None = None
    artist: str | None = None
    voice: str | None = None


def split_of(key: str, test_share: float = TEST_SHARE) -> str:
    """Say on which side of the split a key falls, the same on every machine.

    >>> split_of("wesnoth-1.16-music/defeat.ogg") in ("train", "test")
    True
    """
    first = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    return "test" if first / 2**32 < test_share else "train"


def fetch(package: str, work: Path) -> Path:
    """Download and unpack one Debian package, zips inside it too; return its folder."""
    folder = work / "unpacked" / package
    marker = folder / ".complete"
    if marker.exists():
        return folder
    debs = work / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    if not list(debs.glob(f"{package}_*.deb")):
        # apt drops to the user _apt for downloads, which may not write here, and says so at length.
        subprocess.run(
            ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package],
            cwd=debs,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    (deb,) = debs.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)
    for archive in sorted(folder.rglob("*.pk3")):
        with zipfile.ZipFile(archive) as inside:
            names = [n for n in inside.namelist() if Path(n).suffix.lower() in AUDIO]
            inside.extractall(archive.with_suffix(""), names)
    marker.touch()
    return folder


def licence_of(package: str, text: str, name: str = "*") -> str:
    """Find the licence of one file in the text of its package's Debian copyright file.

    In the machine-readable format the last `Files:` paragraph that matches wins, as it says. Prose
    is checked against `FREE_FORM`, so a package that changed its terms is noticed.
    """
    if package in FREE_FORM:
        licence, words = FREE_FORM[package]
        return licence if words in text else "see copyright file"
    found = "see copyright file"
    for paragraph in re.split(r"\n\s*\n", text):
        files = re.search(r"^Files:(.*(?:\n[ \t].*)*)", paragraph, re.M)
        licence_line = re.search(r"^License:[ \t]*(\S.*)$", paragraph, re.M)
        if files and licence_line:
            # Installed folders differ from those of the source: two parts of a pattern still hold.
            tails = ["/".join(pattern.split("/")[-2:]) for pattern in files[1].split()]
            if any(fnmatch(name, f"*{tail.lstrip('*')}") for tail in tails):
                found = licence_line[1].strip()
    return found


def is_stem_or_speech(path: Path) -> bool:
    """True for the spoken lines of drascula, in five languages, and the guitars of fretsonfire."""
    in_language = "drascula" in path.parts and path.parent.name in {"de", "en", "es", "fr", "it"}
    return in_language or (path.name == "guitar.ogg" and "fretsonfire" in path.parts)


def duration_s(path: Path) -> float:
    """Length of an audio file, or 0 when it cannot be read."""
    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError:
        return 0.0
    return float(info.frames) / float(info.samplerate)


def drop_duplicates(paths: Iterable[Path], min_s: float = MIN_S) -> Iterator[tuple[Path, float]]:
    """Yield each audio file of at least `min_s` with its length, one of every (size, length)."""
    seen: set[tuple[int, float]] = set()
    for path in paths:
        if path.suffix.lower() not in AUDIO or is_stem_or_speech(path) or path.is_symlink():
            continue
        length = round(duration_s(path), 2)
        key = (path.stat().st_size, length)
        if length >= min_s and key not in seen:
            seen.add(key)
            yield path, length


def package_sources(package: str, folder: Path) -> Iterator[SourceTrack]:
    """List the music of one unpacked package."""
    copyright_file = folder / "usr/share/doc" / package / "copyright"
    text = copyright_file.read_text(encoding="utf-8", errors="replace")
    for path, length in drop_duplicates(sorted(folder.rglob("*"))):
        relative = path.relative_to(folder).as_posix().removeprefix("usr/share/")
        track = f"{package}/{relative.removeprefix('games/')}"
        licence = licence_of(package, text, f"/{relative}")
        yield SourceTrack(
            track,
            str(path),
            package,
            licence,
            GENRES[package],
            length,
            split_of(track),
            title=path.stem,
        )


def excerpt_sources(folder: Path) -> Iterator[SourceTrack]:
    """List the excerpts of free music; two excerpts of one track fall on the same side."""
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            path = folder / "clips" / row["file"]
            # "Caesium (vocal stems only)" is a part of "Caesium (mono sum of all stems)".
            title = re.sub(r"\s*\(.*\)$", "", row["title"])
            yield SourceTrack(
                id=f"free-music/{path.stem}",
                path=str(path),
                source="free-music",
                licence=row["licence"],
                genre=row["genre_by_source"] or None,
                duration_s=round(duration_s(path), 2),
                split=split_of(f"{row['artist']}/{title}"),
                title=row["title"],
                artist=row["artist"],
                voice=row["voice_by_source"] or None,
            )


def collect(work: Path) -> list[SourceTrack]:
    """Fetch every package and list all the music, packages first."""
    found: list[SourceTrack] = []
    for package in GENRES:
        tracks = list(package_sources(package, fetch(package, work)))
        hours = sum(track.duration_s for track in tracks) / 3600
        print(f"{package}: {len(tracks)} tracks, {hours:.2f} h", file=sys.stderr)
        found += tracks
    shared = os.environ.get("GDR_SHARED")
    if shared:
        found += [
            s
            for s in excerpt_sources(Path(shared) / "data" / "free_music")
            if s.duration_s >= MIN_S
        ]
    return found


def link(tracks: Iterable[SourceTrack], work: Path, folder: Path) -> None:
    """A library of links to the tracks, a folder a source; very long ones are left out."""
    short = [track for track in tracks if track.duration_s <= LINKED_S]
    for number, track in enumerate(short):
        target = work.absolute() / track.path
        at = folder / track.source / f"{number:04d}{target.suffix}"
        at.parent.mkdir(parents=True, exist_ok=True)
        if not at.is_symlink():
            at.symlink_to(target)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--work", type=Path, required=True, metavar="DIR", help="where downloads and lists go"
    )
    parser.add_argument(
        "--link", type=Path, metavar="FOLDER", help="make a library of links to them, too"
    )
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    tracks = collect(work)
    half = work / "sources.jsonl.part"
    half.write_text(
        "".join(json.dumps(asdict(track), ensure_ascii=False) + "\n" for track in tracks)
    )
    half.replace(work / "sources.jsonl")
    if options.link:
        link(tracks, work, options.link)
    hours = sum(track.duration_s for track in tracks) / 3600
    print(f"{len(tracks)} tracks, {hours:.1f} h, in {work / 'sources.jsonl'}", file=sys.stderr)


if __name__ == "__main__":
    main()
