"""How the tests of ingesting do it, and what they look at."""

from __future__ import annotations

import os

import mutagen

from gdr_model.store.ingest import ingest


def run(library, encoder, **options):
    """Ingest, and the counts that are not zero."""
    summary = ingest(library, encoder, on_progress=lambda _: None, **options)
    names = ("new", "changed", "retagged", "unchanged", "moved", "duplicate", "skipped_failed",
             "gone")  # fmt: skip
    counts = {name: getattr(summary, name) for name in (*names, "encoded")}
    counts["failed"] = len(summary.failed)
    counts["unreadable"] = len(summary.unreadable)
    counts["unavailable"] = len(summary.unavailable)
    counts["away"] = sum(summary.away.values())
    counts["left_out"] = len(summary.left_out)
    return {name: count for name, count in counts.items() if count}


def names(library):
    return [track.path.relative_to(library.root).as_posix() for track in library.tracks()]


def tag(path, **texts):
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    for name, text in texts.items():
        file[name] = text
    file.save()


def age(path):
    """Let a file look written at another time than before."""
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns - 5_000_000_000))
