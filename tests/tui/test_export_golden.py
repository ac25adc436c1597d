"""Every export format, byte for byte; `GDR_GOLDEN=write` rewrites the golden files."""

import os
from pathlib import Path

import pytest

from gdr_model.notebook.crates import CrateTrack
from gdr_tui.export import lists, of_crate, rekordbox
from gdr_tui.export.entries import TrackList

GOLDEN = Path(__file__).with_name("golden")
NIGHT = of_crate(
    "night & day [1]",
    [
        CrateTrack(Path("/music/Rain <on> Tin.flac"), 'Rain "on" <Tin>', "The Quiet & Hours",
                   "Weather", "jazz", 181.6, 64.0, "rain, slow"),
        CrateTrack(Path(os.fsdecode(b"/music/caf\xe9 [red].mp3")), prompt="rain, slow"),
        CrateTrack(Path("/music/夜 🎷.ogg"), "夜の散歩", "山田\x1b[31m", "", "city pop", 240.0),
    ],
)  # fmt: skip


def written(tracks: TrackList) -> dict[str, bytes]:
    texts = {
        "crate.m3u8": lists.m3u8(tracks, None),
        "crate-relative.m3u8": lists.m3u8(tracks, Path("/music/lists")),
        "crate.csv": lists.as_csv(tracks),
        "crate.json": lists.as_object(tracks),
    }
    whole = {name: text.encode("utf-8", "surrogateescape") for name, text in texts.items()}
    document = rekordbox.document(tracks)
    return whole | {"crate.xml": document}


@pytest.mark.parametrize("name", sorted(written(NIGHT)))
def test_a_crate_is_written_as_ever(name: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("GDR_GOLDEN") == "write":
        golden.write_bytes(written(NIGHT)[name])
    assert written(NIGHT)[name] == golden.read_bytes()
