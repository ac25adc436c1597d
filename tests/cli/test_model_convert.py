"""`gdr model convert`: where the folder lands, and refusals in one sentence."""

from __future__ import annotations

from pathlib import Path

import references as ref
import torch
from typer.testing import CliRunner

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.mule.port_net import MulePort, MulePortConfig
from gdr_tui.cli.main import app


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["model", "convert", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def checkpoint(folder: Path) -> Path:
    net = ref.alive(MulePort(gdr_folder.sizes(MulePortConfig, ref.MULE_PORT, "the reference")))
    torch.save(net.state_dict(), folder / "port.pt")
    return folder / "port.pt"


def test_the_folder_lands_where_gdr_looks_or_where_it_is_told(
    tmp_path: Path, gdr_home: Path
) -> None:
    source = checkpoint(tmp_path)
    for options, folder in (
        ((), gdr_home / "models" / "mule-port"),
        (("-o", tmp_path / "mine"), tmp_path / "mine"),
    ):
        code, out, err = run(source, "--pair", "mule-port", *options)
        assert (code, out) == (0, ""), err
        assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors"]
        assert str(folder) in err


def test_refusals_are_one_sentence_and_leave_nothing_behind(tmp_path: Path) -> None:
    source = checkpoint(tmp_path)
    for arguments, code, said in (
        ((source, "--pair", "muscall"), 1, "holds other weights"),
        ((source, "--pair", "mule"), 1, "Keras"),
        ((source, "--pair", "vggish"), 2, "use mule"),
        ((tmp_path / "nowhere", "--pair", "mule"), 1, "does not exist"),
    ):
        found, out, err = run(*arguments, "-o", tmp_path / "made")
        assert (found, out) == (code, ""), err
        assert said in err
        assert err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir() if "made" in p.name] == []


def test_heads_are_named_where_weights_do_not_tell_them(tmp_path: Path) -> None:
    source = checkpoint(tmp_path)
    found, _, err = run(source, "--pair", "mule-port", "--text-heads", 2, "-o", tmp_path / "made")
    assert found == 2
    assert "for laion and muscall alone" in err
