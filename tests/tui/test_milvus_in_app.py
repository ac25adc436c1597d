"""The app with an index in Milvus: it uploads in the background, and does without a server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import WIDE, asked, main, names, opened, said, until

from gdr_model.search import nearest
from gdr_model.search.milvus.keys import Keys
from gdr_model.search.milvus.server import Server
from gdr_model.types import Array
from gdr_tui.app.main.session import Session
from gdr_tui.app.settings import Settings

DEMO = Path(__file__).parents[2] / "demo"
ALONE = (
    "the index at http://127.0.0.1:9 cannot be reached; searches are answered on this machine "
    "meanwhile"
)


@pytest.fixture(autouse=True)
def extra() -> None:
    for package in ("pymilvus", "milvus_lite"):
        pytest.importorskip(package, reason="the extra milvus is not installed")


@pytest.fixture
def songs(music: Path) -> Path:
    """Twenty demo tracks."""
    for song in sorted(DEMO.glob("*/*.ogg"))[::2]:
        shutil.copy(song, music)
    return music


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file of Milvus Lite."""
    from milvus_lite.server_manager import server_manager_instance

    file = tmp_path / "passages.db"
    yield file
    server_manager_instance.release_server(str(file))


async def test_what_is_indexed_is_uploaded_and_milvus_answers(
    songs: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "CANDIDATES", 2)
    answers = []
    search = Server.search

    def counted(self: Server, name: str, points: Array, k: int, expression: str) -> list[Keys]:
        found = search(self, name, points, k, expression)
        answers.append(len(found))
        return found

    monkeypatch.setattr(Server, "search", counted)
    session = Session([songs], index=f"milvus:{file}")
    async with opened(session, Settings(results=1)).run_test(size=WIDE) as pilot:
        state = main(pilot).library.state
        await until(pilot, lambda: state.graphs == (20, 20), 90)
        await until(pilot, lambda: session.loader._retriever.libraries[0].index._searchable, 60)
        await asked(pilot, "slow piano")
        listed = names(pilot)
        assert said(pilot) == []
    assert answers
    async with opened(Session([songs]), Settings(results=1)).run_test(size=WIDE) as pilot:
        await asked(pilot, "slow piano")
        assert names(pilot) == listed


async def test_without_its_server_the_app_says_so_and_answers_alone(songs: Path) -> None:
    session = Session([songs], index="milvus:http://127.0.0.1:9")
    async with opened(session).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        await asked(pilot, "slow piano")
        assert len(names(pilot)) == 20
        await until(pilot, lambda: f"server: {ALONE}" in said(pilot))
        assert len(said(pilot)) == 1
