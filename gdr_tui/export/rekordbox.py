"""A list as rekordbox XML, the format "List of tracks for rekordbox" (AlphaTheta, v1.0.0).

COLLECTION describes the tracks, PLAYLISTS refers to them by TrackID. The best passage becomes a
memory cue (POSITION_MARK of type 0, number -1), so that it is one key away on the deck.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET  # only to write; nothing is parsed
from pathlib import PurePath, PureWindowsPath
from urllib.parse import quote

from gdr_model import __version__
from gdr_tui.export.entries import TrackList
from gdr_tui.safe_text import literal

KINDS = {
    ".mp3": "MP3 File",
    ".flac": "FLAC File",
    ".wav": "WAV File",
    ".aiff": "AIFF File",
    ".aif": "AIFF File",
    ".m4a": "M4A File",
}
_LONG_SHARE = re.compile(r"^\\\\\?\\UNC\\", re.IGNORECASE)
_LONG = re.compile(r"^\\\\\?\\")
"""Marks of Windows paths of any length."""
_DRIVE = re.compile("^[A-Za-z]:(?=/)")
_NO_XML = re.compile("[\ufffe\uffff]")
"""Characters that `literal` keeps although XML forbids them."""


def document(tracks: TrackList) -> bytes:
    """The whole file, UTF-8."""
    root = ET.Element("DJ_PLAYLISTS", Version="1.0.0")
    ET.SubElement(root, "PRODUCT", Name="gdr", Version=__version__, Company="")
    count = str(len(tracks.entries))
    collection = ET.SubElement(root, "COLLECTION", Entries=count)
    playlists = ET.SubElement(root, "PLAYLISTS")
    top = ET.SubElement(playlists, "NODE", Type="0", Name="ROOT", Count="1")
    playlist = ET.SubElement(
        top, "NODE", Name=_text(tracks.title), Type="1", KeyType="0", Entries=count
    )
    for number, entry in enumerate(tracks.entries, 1):
        facts = {
            "TrackID": str(number),
            "Name": _text(entry.name),
            "Artist": _text(entry.artist),
            "Album": _text(entry.album),
            "Genre": _text(entry.genre),
            "Kind": KINDS.get(entry.path.suffix.lower(), ""),
            "TotalTime": str(round(entry.duration_s)),
            "Location": location(entry.path),
        }
        track = ET.SubElement(collection, "TRACK", {k: v for k, v in facts.items() if v})
        if entry.start_s > 0:
            start = f"{entry.start_s:.3f}"
            ET.SubElement(track, "POSITION_MARK", Name="gdr", Type="0", Start=start, Num="-1")
        ET.SubElement(playlist, "TRACK", Key=str(number))
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def location(path: PurePath) -> str:
    """A path as a file URL, with every byte beyond plain ASCII percent-encoded.

    The colon of a Windows drive stays as it is, and a share is `//server/share`.
    """
    slashed = str(path)
    if isinstance(path, PureWindowsPath):
        slashed = _LONG.sub("", _LONG_SHARE.sub(r"\\\\", slashed)).replace("\\", "/")
    drive = _DRIVE.match(slashed)
    rest = slashed[drive.end() :] if drive else slashed.removeprefix("/")
    before = drive[0] if drive else ""
    return f"file://localhost/{before}{quote(os.fsencode(rest), safe='/')}"


def _text(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", literal(text))
