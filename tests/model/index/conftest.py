"""A library of 600 passages, and what is counted while its graphs are built."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from passages import DIM, fill, lite_file, lite_server

from gdr_model.paths import store_of
from gdr_model.search.indexed.graphs import Maker
from gdr_model.search.whitening import Whitening
from gdr_model.store.library import Library


@pytest.fixture
def whitening():
    random = np.random.default_rng(5)
    mean = random.standard_normal(DIM).astype(np.float32)
    return Whitening(mean, random.uniform(0.5, 2, DIM).astype(np.float32), 0.5)


@pytest.fixture
def library(music):
    with Library.open(music, create=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A library of 600 passages, made once; 1200 commits take half a second."""
    root = tmp_path_factory.mktemp("music")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDR_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(os, "fsync", lambda _handle: None)
        with Library.open(root, create=True) as library:
            fill(library, 600)
            store = library.store
    return root, store


@pytest.fixture
def filled(original, monkeypatch):
    root, store = original
    shutil.copytree(store, store_of(root))
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
    with Library.open(root) as library:
        yield library


@pytest.fixture
def builds(monkeypatch):
    """Counts the graphs that are built and not loaded."""
    made = []
    whole = Maker._built

    def counted(self, rows, **how):
        made.append(len(rows))
        return whole(self, rows, **how)

    monkeypatch.setattr(Maker, "_built", counted)
    return made


@pytest.fixture(scope="session")
def milvus_package():
    """Quiet, as in the product."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")


@pytest.fixture
def milvus_file(milvus_package, tmp_path):
    """A new file of Milvus Lite."""
    yield from lite_file(tmp_path)


@pytest.fixture(scope="session")
def shared_file(milvus_package, tmp_path_factory):
    """A file that tests fill one after another, each with a library of its own."""
    yield from lite_file(tmp_path_factory.mktemp("milvus"))


@pytest.fixture(scope="session")
def shared_server(milvus_package, tmp_path_factory):
    """The same, as a server of this process."""
    server, database, uri = lite_server(tmp_path_factory.mktemp("milvus"))
    yield uri
    server.stop(grace=0).wait()
    database.close()
