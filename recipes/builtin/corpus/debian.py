"""Debian packages as a source of free music: fetched, unpacked, and the licence of each file.

Packages are fetched by `apt-get download`, which needs no root, and only once.
"""

from __future__ import annotations

import re
import subprocess
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from recipes.builtin.corpus.packages import FREE_FORM, MUSIC, NOT_MUSIC

AUDIO = {".ogg", ".oga", ".opus", ".mp3", ".flac", ".wav"}
TRACKER = {".it", ".mod", ".s3m", ".xm"}
"""Modules of tracker programs: notes with their instruments, which must be rendered."""
ARCHIVES = {".pk3", ".zip"}
RENDERED_S = 600
UNKNOWN = "see copyright file"


def is_music(package: str, name: str) -> bool:
    """True for the name of a file, from `/`, that is where the package has its music.

    >>> is_music("flare-game", "/usr/share/games/flare/mods/fantasycore/soundfx/rain.ogg")
    False
    """
    if any(fnmatch(name, pattern) for pattern in NOT_MUSIC):
        return False
    return any(fnmatch(name, pattern) for pattern in MUSIC.get(package, ("*",)))


def render_module(path: Path) -> None:
    """Render a tracker module, once through, to Ogg Vorbis next to it.

    Raises:
        subprocess.CalledProcessError: if ffmpeg was built without libopenmpt or cannot read it.
    """
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-t", str(RENDERED_S)]
    target = ["-map_metadata", "-1", "-c:a", "libvorbis", "-q:a", "6", f"{path}.ogg"]
    subprocess.run([*command, *target], check=True, stdin=subprocess.DEVNULL)


def fetch(package: str, work: Path) -> Path:
    """Download and unpack one Debian package; return its folder.

    Sound is taken out of the zip archives in it, which are then deleted, and tracker modules are
    rendered, those that ffmpeg can read.

    Raises:
        subprocess.CalledProcessError: if it cannot be downloaded or unpacked.
    """
    folder = work / "unpacked" / package
    marker = folder / ".complete"
    if marker.exists():
        return folder
    debs = work / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    if not list(debs.glob(f"{package}_*.deb")):
        # apt would download as the user _apt, which cannot write here, and complain at length.
        subprocess.run(
            ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package],
            cwd=debs,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    (deb,) = debs.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix.lower() in ARCHIVES and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as inside:
                names = [n for n in inside.namelist() if Path(n).suffix.lower() in AUDIO]
                inside.extractall(path.with_suffix(""), names)
            path.unlink()
        elif path.suffix.lower() in TRACKER and is_music(package, f"/{path.relative_to(folder)}"):
            try:
                render_module(path)
            except subprocess.CalledProcessError:
                print(f"{path}: ffmpeg cannot render it; left out")
    marker.touch()
    return folder


def licence_of(package: str, text: str, name: str = "*") -> str:
    """Licence of one file, from the text of its package's Debian copyright file.

    In the machine-readable format the last matching `Files:` paragraph wins, as its specification
    says. Prose is checked against `FREE_FORM`, so that a package with new terms is noticed. A file
    without a licence gets `UNKNOWN`.
    """
    if package in FREE_FORM:
        named, words = FREE_FORM[package]
        return named if words in text else UNKNOWN
    licence = UNKNOWN
    for paragraph in re.split(r"\n\s*\n", text):
        files = re.search(r"^Files:(.*(?:\n[ \t].*)*)", paragraph, re.M)
        licence_line = re.search(r"^License:[ \t]*(\S.*)$", paragraph, re.M)
        if files and licence_line:
            # Installed folders differ from those of the source; the last two parts still match.
            tails = ["/".join(pattern.split("/")[-2:]) for pattern in files[1].split()]
            if any(fnmatch(name, f"*{tail.lstrip('*')}") for tail in tails):
                licence = licence_line[1].strip()
    return licence
