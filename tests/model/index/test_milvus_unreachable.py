"""Servers that are not there, hang or go away, files that another program has, and no pymilvus."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from passages import SPACE, lite_server, oracle, some_queries

from gdr_model.errors import Hint, IndexUnavailable, UsageError
from gdr_model.search.indexed.choice import opener
from gdr_model.search.milvus import index as milvus_index
from gdr_model.search.milvus import server
from gdr_model.search.milvus.address import Address
from gdr_model.search.milvus.index import MilvusIndex


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def silent_port():
    """Connections are accepted and nothing is ever answered."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def uploaded_once(filled, whitening, milvus_package, tmp_path):
    """A library whose store says that all of it is on a server, which is not running now."""
    running, database, uri = lite_server(tmp_path)
    index = MilvusIndex.open(filled, SPACE, whitening, address=Address(uri))
    index.prepare()
    running.stop(grace=0).wait()
    database.close()
    return filled, index, uri


@pytest.mark.parametrize("kind", ["closed_port", "silent_port"])
def test_a_server_that_does_not_answer_costs_seconds_and_one_sentence(
    uploaded_once, whitening, kind, request, monkeypatch
):
    library, _, uri = uploaded_once
    address = Address(f"http://me:secret@127.0.0.1:{request.getfixturevalue(kind)}")
    note = next((library.store / "index").glob("*/milvus.json"))
    note.write_text(note.read_text().replace(uri, str(address)))
    monkeypatch.setattr(server, "CONNECT_S", 1.5)
    index = MilvusIndex.open(library, SPACE, whitening, address=address)
    began = time.monotonic()
    with pytest.raises(IndexUnavailable, match=rf"^the index at {address} cannot be reached$"):
        index.search(some_queries(), 5)
    with pytest.raises(IndexUnavailable, match="cannot be reached") as failed:
        index.prepare()
    assert failed.value.hint is Hint.SEARCH_HERE
    assert time.monotonic() - began < 8
    assert "secret" not in f"{failed.value} {address} {address!r}"


def test_where_answers_matter_more_they_come_from_this_machine(uploaded_once, whitening):
    library, _, uri = uploaded_once
    troubles = []
    index = MilvusIndex.open(
        library, SPACE, whitening, address=Address(uri), trouble=troubles.append, strict=False
    )
    expected = oracle(np.asarray(index.vectors), some_queries(), 5)[0]
    for _ in range(3):
        assert np.array_equal(index.search(some_queries(), 5)[0], expected)
    assert len(troubles) == 1, "a server that failed is left alone for a while"


def test_a_server_that_comes_back_is_used_again(uploaded_once, whitening, tmp_path, monkeypatch):
    library, _, uri = uploaded_once
    monkeypatch.setattr(milvus_index, "REST_S", 0.0)
    troubles = []
    index = MilvusIndex.open(
        library, SPACE, whitening, address=Address(uri), trouble=troubles.append, strict=False
    )
    index.search(some_queries(), 5)
    assert len(troubles) == 1
    running, database, _ = lite_server(tmp_path, int(uri.rpartition(":")[2]))
    try:
        deadline = time.monotonic() + 20  # gRPC waits a second or two before it connects again
        while index._searchable is None and time.monotonic() < deadline:
            time.sleep(0.2)
            index.search(some_queries(), 5)
        with monkeypatch.context() as patch:
            patch.setattr(index._local, "search", None)
            index.search(some_queries(), 5)
    finally:
        running.stop(grace=0).wait()
        database.close()
    before = len(troubles)
    index.search(some_queries(), 5)
    assert len(troubles) == before + 1


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")
def test_a_server_that_stops_answering_has_its_time(
    filled, whitening, milvus_package, closed_port, tmp_path, monkeypatch
):
    command = [sys.executable, "-m", "milvus_lite.cmdline", "server", "--host", "127.0.0.1"]
    command += ["--data-dir", str(tmp_path / "data"), "--port", str(closed_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        try:
            running.stdout.readline()
            address = Address(f"http://127.0.0.1:{closed_port}")
            index = MilvusIndex.open(filled, SPACE, whitening, address=address)
            index.prepare()
            running.send_signal(signal.SIGSTOP)
            monkeypatch.setattr(server, "ANSWER_S", 1.0)
            began = time.monotonic()
            with pytest.raises(IndexUnavailable, match=r"does not answer: Deadline Exceeded$"):
                index.search(some_queries(), 5)
            assert time.monotonic() - began < 8
        finally:
            running.send_signal(signal.SIGCONT)
            running.kill()


def test_a_server_that_wants_a_password_is_not_called_unreachable(
    filled, whitening, milvus_package, monkeypatch
):
    import grpc

    class Guarded(grpc.ServerInterceptor):
        def intercept_service(self, continuation, details):
            given.update(details.invocation_metadata)

            def refuse(_request, context):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")

            return grpc.unary_unary_rpc_method_handler(refuse)

    given = {}
    running = grpc.server(ThreadPoolExecutor(2), interceptors=[Guarded()])
    address = Address(f"http://127.0.0.1:{running.add_insecure_port('127.0.0.1:0')}")
    running.start()
    monkeypatch.setenv("MILVUS_TOKEN", "me:wrong")
    index = MilvusIndex.open(filled, SPACE, whitening, address=address)
    try:
        with pytest.raises(IndexUnavailable, match="refuses the user or key in MILVUS_TOKEN"):
            index.prepare()
    finally:
        running.stop(grace=0).wait()
    assert b64decode(given["authorization"]) == b"me:wrong"


def test_a_file_that_another_program_has_is_named(filled, whitening, milvus_package, tmp_path):
    file = tmp_path / "passages.db"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, milvus_lite; db = milvus_lite.MilvusLite(sys.argv[1]); print(flush=True);"
            "sys.stdin.read()",
            str(file),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        index = MilvusIndex.open(filled, SPACE, whitening, address=Address(str(file)))
        with pytest.raises(IndexUnavailable, match="another program is using it"):
            index.prepare()
    finally:
        holder.communicate(b"")


def test_a_file_in_no_folder_is_named(filled, whitening, milvus_package, tmp_path):
    address = Address(str(tmp_path / "nowhere" / "passages.db"))
    index = MilvusIndex.open(filled, SPACE, whitening, address=address)
    with pytest.raises(IndexUnavailable, match="its folder does not exist"):
        index.prepare()


@pytest.mark.parametrize(
    ("missing", "where"), [("pymilvus", "http://h:1"), ("milvus_lite", "x.db")]
)
def test_what_to_install_is_said(filled, whitening, missing, where, monkeypatch, request):
    if missing == "milvus_lite":
        request.getfixturevalue("milvus_package")
    monkeypatch.setitem(sys.modules, missing, None)
    index = opener(f"milvus:{where}", strict=False)(filled, SPACE, whitening)
    with pytest.raises(IndexUnavailable, match=f"an index in Milvus needs {missing}") as failed:
        index.prepare()
    assert failed.value.hint is Hint.INSTALL
    assert failed.value.facts == {"package": "gdr-tui[milvus]"}


def test_names_that_are_no_index_are_refused():
    files = "milvus:", "milvus:passages", "milvus:ftp://h/x.db", "milvus:a\0.db"
    servers = "milvus:http://", "milvus:http://h:x", "milvus:http://h:99999", "milvus:http://["
    for name in ("", "milvus", "faiss", *files, *servers):
        with pytest.raises(UsageError, match=r"index .*milvus:"):
            opener(name)


def test_addresses_are_read():
    assert Address.parse("milvus:~/x.db").uri == os.path.expanduser("~/x.db")
    assert str(Address.parse("milvus:https://a:b@c.d:443/music")) == "https://c.d:443/music"
