"""Fetch the free music that teaches the built-in encoder, and list it, one track per line.

    python -m recipes.builtin.corpus.sources --work DIR

The music comes from Debian packages (packages.py) and, when `GDR_SHARED` names a folder that has
them, from the excerpts in `$GDR_SHARED/data/free_music` and `free_music_2`. What is there already
is not fetched again. Writes `DIR/sources.jsonl`: id, path, source, licence, genre, duration_s,
split, title, and for excerpts also artist and voice. Ids do not depend on DIR, so the same 15 % of
tracks are held out everywhere.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import soundfile

from recipes.builtin.corpus.debian import AUDIO, UNKNOWN, fetch, is_music, licence_of
from recipes.builtin.corpus.packages import GENRES
from recipes.builtin.steps import step_parser, write_list

LINKED_S = 600.0
"""Longer tracks are not songs, and are left out of a library of links."""
MIN_S = 20.0
EXCERPT_MIN_S = 8.0
"""Excerpts are short, the sung ones above all; a package's short files are jingles."""
TEST_SHARE = 0.15
EXCERPTS = ("free_music", "free_music_2")
WITHDRAWN = {"Fantasma"}
"""The tag in the file says NC-ND, whatever the list says."""


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
    """Side of the split on which a key falls, `train` or `test`, the same on every machine.

    >>> split_of("wesnoth-1.16-music/defeat.ogg") in ("train", "test")
    True
    """
    first = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    return "test" if first / 2**32 < test_share else "train"


def duration_s(path: Path) -> float:
    """Length of an audio file in seconds, 0 if it cannot be read."""
    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError:
        return 0.0
    return float(info.frames) / float(info.samplerate)


def drop_duplicates(paths: Iterable[Path], min_s: float = MIN_S) -> Iterator[tuple[Path, float]]:
    """Audio files of at least `min_s` with their length, one for every (size, length)."""
    seen: set[tuple[int, float]] = set()
    for path in paths:
        if path.suffix.lower() not in AUDIO or path.is_symlink():
            continue
        length_s = round(duration_s(path), 2)
        key = (path.stat().st_size, length_s)
        if length_s >= min_s and key not in seen:
            seen.add(key)
            yield path, length_s


def package_sources(package: str, folder: Path) -> Iterator[SourceTrack]:
    """The music of one unpacked package, without files whose licence is not known."""
    copyright_file = folder / "usr/share/doc" / package / "copyright"
    text = copyright_file.read_text(encoding="utf-8", errors="replace")
    inside = sorted(path for path in folder.rglob("*") if path.is_file())
    music = [p for p in inside if is_music(package, f"/{p.relative_to(folder).as_posix()}")]
    for path, length_s in drop_duplicates(music):
        relative = path.relative_to(folder).as_posix().removeprefix("usr/share/")
        licence = licence_of(package, text, f"/{relative}")
        if licence == UNKNOWN:
            continue
        track = f"{package}/{relative.removeprefix('games/')}"
        yield SourceTrack(
            id=track,
            path=str(path),
            source=package,
            licence=licence,
            genre=GENRES[package],
            duration_s=length_s,
            split=split_of(track),
            title=path.stem,
        )


def voice_of(row: dict[str, str]) -> str | None:
    """What the source says about singing; the second set says so in a column of its own.

    What is only likely to be sung counts as unknown.
    """
    if "sung" in row:
        return "sung" if row["sung"] == "yes" else None
    return row["voice_by_source"] or None


def excerpt_sources(folder: Path) -> Iterator[SourceTrack]:
    """One set of excerpts; all excerpts of a track fall on the same side of the split."""
    name = folder.name.replace("_", "-")
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            path = folder / "clips" / row["file"]
            # "Caesium (vocal stems only)" is a part of "Caesium (mono sum of all stems)".
            title = re.sub(r"\s*\(.*\)$", "", row["title"])
            if title in WITHDRAWN:
                continue
            yield SourceTrack(
                id=f"{name}/{path.stem}",
                path=str(path),
                source=name,
                licence=row["licence"],
                genre=row.get("style") or row["genre_by_source"] or None,
                duration_s=round(duration_s(path), 2),
                split=split_of(f"{row['artist']}/{title}"),
                title=row["title"],
                artist=row["artist"],
                voice=voice_of(row),
            )


def collect(work: Path) -> list[SourceTrack]:
    """Fetch every package and list all the music, packages first."""
    tracks: list[SourceTrack] = []
    for package in GENRES:
        of_package = list(package_sources(package, fetch(package, work)))
        hours = sum(track.duration_s for track in of_package) / 3600
        print(f"{package}: {len(of_package)} tracks, {hours:.2f} h", file=sys.stderr)
        tracks += of_package
    shared = os.environ.get("GDR_SHARED")
    if shared:
        for name in EXCERPTS:
            excerpts = excerpt_sources(Path(shared) / "data" / name)
            tracks += [excerpt for excerpt in excerpts if excerpt.duration_s >= EXCERPT_MIN_S]
    return tracks


def link(tracks: Iterable[SourceTrack], work: Path, library: Path) -> None:
    """Make a library of links to the tracks, one folder per source, without very long ones."""
    songs = [track for track in tracks if track.duration_s <= LINKED_S]
    for number, track in enumerate(songs):
        target = work.absolute() / track.path
        linked = library / track.source / f"{number:04d}{target.suffix}"
        linked.parent.mkdir(parents=True, exist_ok=True)
        if not linked.is_symlink():
            linked.symlink_to(target)


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument(
        "--link", type=Path, metavar="FOLDER", help="also make a library of links to the tracks"
    )
    options = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        raise SystemExit("tracker modules are rendered by ffmpeg: install the Debian package")
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    tracks = collect(work)
    write_list(work / "sources.jsonl", map(asdict, tracks))
    if options.link:
        link(tracks, work, options.link)
    hours = sum(track.duration_s for track in tracks) / 3600
    print(f"{len(tracks)} tracks, {hours:.1f} h, in {work / 'sources.jsonl'}", file=sys.stderr)


if __name__ == "__main__":
    main()
