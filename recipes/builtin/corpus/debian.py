"""Debian packages as a source of free music: fetched, unpacked, and the licence of each file.

Packages are fetched by `apt-get download`, which needs no root, and only once.
"""

from __future__ import annotations

import re
import subprocess
import zipfile
from fnmatch import fnmatch
from pathlib import Path

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
"""The packages of music, with their genre where one word describes it fairly."""

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
"""Licence of the music where the copyright file is prose, and words of the file that prove it."""

AUDIO = {".ogg", ".oga", ".opus", ".mp3", ".flac", ".wav"}
UNKNOWN = "see copyright file"


def fetch(package: str, work: Path) -> Path:
    """Download and unpack one Debian package and the zip archives in it; return its folder.

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
    for archive in sorted(folder.rglob("*.pk3")):
        with zipfile.ZipFile(archive) as inside:
            names = [n for n in inside.namelist() if Path(n).suffix.lower() in AUDIO]
            inside.extractall(archive.with_suffix(""), names)
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
