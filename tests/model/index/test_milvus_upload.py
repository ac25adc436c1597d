"""What libraries bring to Milvus, share there and take away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from passages import SPACE, fill, oracle, some_queries

from gdr_model.errors import Cancelled
from gdr_model.paths import store_of
from gdr_model.search.index import HnswIndex
from gdr_model.search.milvus.address import Address
from gdr_model.search.milvus.index import MilvusIndex
from gdr_model.search.milvus.server import Server
from gdr_model.store.library import Library


@pytest.fixture
def written(monkeypatch):
    """How many rows of passages were sent to a server."""
    sent = []
    whole = Server.put

    def counted(self, name, columns, vectors):
        if "passage" in columns:
            sent.append(len(vectors))
        whole(self, name, columns, vectors)

    monkeypatch.setattr(Server, "put", counted)
    return sent


@pytest.fixture
def other(original, tmp_path, monkeypatch):
    """Another person's library of the same 600 sounds, in another folder."""
    root = tmp_path / "theirs"
    root.mkdir()
    with Library.open(root, create=True) as library:
        fill(library, 600)
        yield library


def opened(library, whitening, file, **options):
    return MilvusIndex.open(library, SPACE, whitening, address=Address(file), **options)


def uploaded(library, whitening, file):
    index = opened(library, whitening, file)
    index.prepare()
    return index


def on_server(file, index):
    return Server(Address(file)).count(index._shelves.passages)


def answers_as_it_should(index, monkeypatch, k=15):
    with monkeypatch.context() as patch:
        patch.setattr(HnswIndex, "search", None)
        rows, _ = index.search(some_queries(), k)
    return np.array_equal(rows, oracle(np.asarray(index.vectors), some_queries(), k)[0])


def test_an_interrupted_upload_goes_on_where_it_stopped(
    filled, whitening, milvus_file, written, monkeypatch
):
    monkeypatch.setattr("gdr_model.search.milvus.upload.CONTENTS_AT_ONCE", 100)
    monkeypatch.setattr("gdr_model.search.milvus.upload.PASSAGES_AT_ONCE", 40)
    troubles = []
    index = opened(filled, whitening, milvus_file, trouble=troubles.append)
    reports = []
    with pytest.raises(Cancelled):
        index.prepare(lambda *at: reports.append(at), cancelled=lambda: sum(written) >= 340)
    assert reports[-1] == (340, 600)
    again = opened(filled, whitening, milvus_file, trouble=troubles.append)
    expected = oracle(np.asarray(again.vectors), some_queries(), 15)[0]
    assert np.array_equal(again.search(some_queries(), 15)[0], expected)
    assert "lacks some of" in str(troubles[0])
    reports.clear()
    again.prepare(lambda *at: reports.append(at))
    assert reports[0] == (40, 300), "the three batches that were whole are not looked at again"
    assert reports[-1] == (300, 300)
    assert sum(written) == 600, "no passage was sent twice"
    assert answers_as_it_should(again, monkeypatch)


UPLOADS = """
import sys, numpy as np
from pathlib import Path
from passages import SPACE
from gdr_model.search.milvus import index, upload
from gdr_model.search.milvus.address import Address
from gdr_model.search.whitening import Whitening
from gdr_model.store.library import Library

upload.CONTENTS_AT_ONCE = 20
root, uri, mean, sd = sys.argv[1:]
whitening = Whitening(np.load(mean), np.load(sd), 0.5)
with Library.open(Path(root)) as library:
    opened = index.MilvusIndex.open(library, SPACE, whitening, address=Address(uri))
    opened.prepare(lambda done, total: print(done, flush=True))
"""


def test_a_killed_upload_goes_on_where_it_stopped(
    filled, whitening, shared_server, tmp_path, written, monkeypatch
):
    np.save(tmp_path / "mean.npy", whitening.mean + 1)  # in a collection of its own
    np.save(tmp_path / "sd.npy", whitening.sd)
    arguments = filled.root, shared_server, tmp_path / "mean.npy", tmp_path / "sd.npy"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    program = subprocess.Popen(
        [sys.executable, "-c", UPLOADS, *map(str, arguments)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    with program:
        for line in program.stdout:
            if int(line) >= 200:
                program.kill()
                break
    assert program.returncode < 0
    index = uploaded(filled, replace(whitening, mean=whitening.mean + 1), shared_server)
    assert 300 <= sum(written) <= 400
    assert on_server(shared_server, index) == 600
    assert answers_as_it_should(index, monkeypatch)


def test_what_is_uploaded_is_found_by_the_next_program(filled, whitening, milvus_file, monkeypatch):
    uploaded(filled, whitening, milvus_file)
    monkeypatch.setattr(Server, "put", None)
    later = opened(filled, whitening, milvus_file)
    assert answers_as_it_should(later, monkeypatch)
    later.prepare()


def test_two_libraries_of_the_same_sounds_share_their_passages(
    filled, other, whitening, milvus_file, written, monkeypatch
):
    mine, theirs = (uploaded(each, whitening, milvus_file) for each in (filled, other))
    assert sum(written) == 600
    fill(filled, 50, first=600)
    mine.refresh()
    mine.prepare()
    assert (sum(written), on_server(milvus_file, mine)) == (650, 650)
    assert answers_as_it_should(opened(other, whitening, milvus_file), monkeypatch)
    assert answers_as_it_should(mine, monkeypatch)

    filled.files.forget([str(i).encode() for i in range(620)])
    mine.refresh()
    mine.prepare()
    assert on_server(milvus_file, mine) == 630, "what only one library had is gone with its files"
    assert answers_as_it_should(opened(other, whitening, milvus_file), monkeypatch)
    assert answers_as_it_should(mine, monkeypatch)

    other.files.forget([str(i).encode() for i in range(600)])
    theirs.refresh()
    theirs.prepare()
    assert on_server(milvus_file, mine) == 30
    assert answers_as_it_should(mine, monkeypatch)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.97])
def test_a_small_library_among_many_passages_of_others(
    filled, library_of_60, whitening, shared_file, share, monkeypatch
):
    uploaded(filled, whitening, shared_file)
    index = uploaded(library_of_60, whitening, shared_file)
    assert on_server(shared_file, index) >= 660
    assert answers_as_it_should(index, monkeypatch, 10)
    monkeypatch.setattr("gdr_model.search.milvus.proposals.LISTED", 5)
    assert answers_as_it_should(index, monkeypatch, 10), "too many to list"
    allowed = np.random.default_rng(2).random(60) < share
    allowed[:2] = True
    rows, _ = index.search(some_queries(), 3, allowed)
    expected = oracle(np.asarray(index.vectors), some_queries(), 3, allowed)[0]
    assert np.array_equal(rows, expected[:, : rows.shape[1]])


@pytest.fixture
def library_of_60(tmp_path):
    root = tmp_path / "few"
    root.mkdir()
    with Library.open(root, create=True) as library:
        fill(library, 60, first=5000)
        yield library


def test_another_models_points_are_in_other_collections(
    filled, whitening, milvus_file, monkeypatch
):
    index = uploaded(filled, whitening, milvus_file)
    another = replace(whitening, power=0.25)
    troubles = []
    apart = opened(filled, another, milvus_file, trouble=troubles.append)
    rows, _ = apart.search(some_queries(), 5)
    assert len(troubles) == 1
    assert np.array_equal(rows, oracle(np.asarray(apart.vectors), some_queries(), 5)[0])
    apart.prepare()
    assert answers_as_it_should(apart, monkeypatch)
    assert answers_as_it_should(index, monkeypatch)


@pytest.mark.parametrize("with_claims", [True, False])
def test_a_server_that_lost_everything_gets_it_again(
    filled, whitening, milvus_file, written, monkeypatch, with_claims
):
    index = uploaded(filled, whitening, milvus_file)
    server = Server(Address(milvus_file))
    server.delete(index._shelves.passages, "content >= 0")
    if with_claims:
        server.delete(index._shelves._claims, "content >= 0")
    troubles = []
    again = opened(filled, whitening, milvus_file, trouble=troubles.append)
    again.search(some_queries(), 5)
    assert len(troubles) == 1
    again.prepare()
    assert sum(written) == 1200
    assert answers_as_it_should(again, monkeypatch)


def test_a_damaged_note_costs_claims_but_no_passages(
    filled, whitening, milvus_file, written, monkeypatch
):
    uploaded(filled, whitening, milvus_file)
    note = next((filled.store / "index").glob("*/milvus.json"))
    assert set(json.loads(note.read_text())) == {"library", "database", "uploaded"}
    for text in ("", "[1]", '{"library": 5, "uploaded": {"x"', "\0"):
        note.write_text(text)
        assert answers_as_it_should(uploaded(filled, whitening, milvus_file), monkeypatch)
        assert sum(written) == 600


def test_a_copy_of_a_store_is_a_library_of_its_own(
    filled, whitening, milvus_file, written, tmp_path, monkeypatch
):
    mine = uploaded(filled, whitening, milvus_file)
    root = tmp_path / "copied"
    root.mkdir()
    shutil.copytree(filled.store, store_of(root))
    with Library.open(filled.root, store=store_of(root)) as copied:
        troubles = []
        theirs = opened(copied, whitening, milvus_file, trouble=troubles.append)
        theirs.search(some_queries(), 5)
        assert len(troubles) == 1, "nothing is claimed for it yet"
        theirs.prepare()
        assert sum(written) == 600, "the passages are there"
        filled.files.forget([str(i).encode() for i in range(600)])
        mine.refresh()
        mine.prepare()
        assert on_server(milvus_file, theirs) == 600
        assert answers_as_it_should(theirs, monkeypatch)


def test_a_file_that_does_not_exist_is_not_made_by_a_search(filled, whitening, milvus_file):
    troubles = []
    index = opened(filled, whitening, milvus_file, trouble=troubles.append)
    index.search(some_queries(), 5)
    assert len(troubles) == 1
    assert not Path(milvus_file).exists()
