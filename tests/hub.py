"""A hub on loopback: what huggingface_hub asks of huggingface.co to list and fetch a model."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c0ffee" * 6 + "c0de"
LARGE = (".safetensors", ".bin", ".pt")


@dataclass
class Hub:
    """Folders served as repositories, and how the hub misbehaves."""

    folders: dict[str, Path]
    url: str = ""
    cut: int | None = None
    """Bytes of a large file after which the line breaks, once; then the hub is ill."""
    ill: bool = False
    longer: int = 0
    """Bytes that a large file has beyond those announced."""
    altered: bool = False
    """Whether large files differ from their checksums."""
    ranges: list[tuple[str, str | None]] = field(default_factory=list)
    """File and Range of every download."""


def described(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    found: dict[str, object] = {"rfilename": path.name, "size": len(data), "blobId": blob}
    if path.suffix in LARGE:
        sha256 = hashlib.sha256(data).hexdigest()
        found["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 130}
    return found


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            api = re.match(r"/api/models/([^/]+/[^/?]+)", self.path)
            file = re.match(rf"/([^/]+/[^/]+)/resolve/{COMMIT}/([^/?]+)", self.path)
            asked = api or file
            if asked is None or asked[1] not in hub.folders:
                self.answer(401, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif hub.ill:
                self.answer(503, b"")
            elif api:
                paths = sorted(hub.folders[api[1]].iterdir())
                listed = {"id": api[1], "sha": COMMIT, "siblings": [described(p) for p in paths]}
                self.answer(200, json.dumps(listed).encode())
            elif file:
                self.send(hub.folders[file[1]] / file[2])

        def send(self, path: Path) -> None:
            data, asked = path.read_bytes(), self.headers.get("Range")
            large = path.suffix in LARGE
            if large and hub.altered:
                data = data[:-1] + bytes([data[-1] ^ 1])
            data += bytes(hub.longer if large else 0)
            hub.ranges.append((path.name, asked))
            start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
            rest = data[start:]
            if large and hub.cut is not None:
                rest, hub.ill = rest[: hub.cut], True
            headers = {"Content-Length": str(len(data) - start)}
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.answer(206 if start else 200, rest, headers)
            self.close_connection = True

        def answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(code)
            for key, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def serving(folders: dict[str, Path]) -> Iterator[Hub]:
    """Serve folders until the end of the block."""
    hub = Hub(folders)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
