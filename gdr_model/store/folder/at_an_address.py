"""Scan a music folder wherever it is: on this machine, or at an address."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from gdr_model.remote.files import Entry, listed
from gdr_model.remote.places import address_of
from gdr_model.store.folder import scan as on_this_machine
from gdr_model.store.folder.left_out import MARKER, Excludes, of_file, of_folder, suffix
from gdr_model.store.folder.scan import Scan
from gdr_model.store.records import LeftOut, Reason, Stamp, key
from gdr_model.types import Cancel, never


def scan(
    root: Path, cancelled: Cancel = never, *, excludes: Excludes | None = None, part: str = ""
) -> Scan:
    """Scan a folder and everything below it; see `folder.scan.scan`.

    At an address there are files alone: no links, no empty folders, and no cue sheets, which would
    have to be fetched.

    Raises:
        LibraryError: if the folder or address cannot be read.
        Cancelled: when asked.
    """
    address = address_of(root)
    if address is None:
        return on_this_machine.scan(root, cancelled, excludes=excludes, part=part)
    entries = sorted(listed(address, cancelled))
    excluded = excludes or Excludes()
    marked = {str(PurePosixPath(each.name).parent) for each in entries if _is_marker(each)} - {"."}
    found = Scan()
    left_out: dict[str, LeftOut] = {}
    for entry in entries:
        if part and not entry.name.startswith(f"{part}/"):
            continue
        if top := _top_left_out(entry, excluded, marked):
            left_out.setdefault(*top)
        elif reason := of_file(PurePosixPath(entry.name).name):
            kind = suffix(entry.name) if reason == Reason.KIND else ""
            left_out[entry.name] = LeftOut(key(entry.name), reason, kind)
        else:
            found.files[key(entry.name)] = Stamp(entry.size, entry.mtime_ns, entry.mtime_ns)
    found.left_out = list(left_out.values())
    found.files = dict(sorted(found.files.items()))
    return found


def _top_left_out(entry: Entry, excludes: Excludes, marked: set[str]) -> tuple[str, LeftOut] | None:
    """The outermost folder around a file, or the file, that is left out whatever its kind."""
    path = PurePosixPath(entry.name)
    for each in (*reversed(path.parents), path):
        name, is_folder = str(each), each != path
        if name == ".":
            continue
        reason = of_folder(each.name) if is_folder else None
        if excludes.match(name, each.name):
            reason = Reason.EXCLUDED
        elif is_folder and name in marked:
            reason = Reason.MARKER
        if reason:
            return name, LeftOut(key(name), reason)
    return None


def _is_marker(entry: Entry) -> bool:
    return PurePosixPath(entry.name).name == MARKER
