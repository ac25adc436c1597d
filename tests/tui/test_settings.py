from pathlib import Path

import pytest

from gdr_tui.app import keymap, keys, settings
from gdr_tui.app.settings import Settings


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_defaults_are_used(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "none.toml") == (Settings(), "")


def test_every_setting_is_read(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        guidance = 4
        steps = 20
        draws = 4
        strength = 0.5
        results = 20
        theme = "ansi-dark"
        player = ["mpv", "--start={start_s}", "{path}"]
        volume = 0.5
        audition = true
        opener = ["nautilus", "--select", "{path}"]
        [keys]
        "search.reroll" = "R"
        """,
    )
    found, problem = settings.load(file)
    assert not problem
    assert found == Settings(
        guidance=4.0,
        steps=20,
        draws=4,
        strength=0.5,
        results=20,
        theme="ansi-dark",
        player=("mpv", "--start={start_s}", "{path}"),
        volume=0.5,
        audition=True,
        opener=("nautilus", "--select", "{path}"),
        keys={"search.reroll": "R"},
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("guidance = ", "settings.toml"),
        ("guidance = 99", "guidance must be a number from 0 to 20"),
        ("steps = 1.5", "steps must be a whole number"),
        ("steps = true", "steps must be a whole number"),
        ('theme = ["a"]', "theme must be a text"),
        ('player = "mpv"', "player must be a list"),
        ('player = ["mpv"]', "{path}"),
        ("keys = 3", "keys must hold named"),
        ("volume = 3", "volume must be a number from 0 to 1"),
        ("guidance = nan", "guidance must be a number"),
        ("[keys]\nx = 1", "keys must hold named texts"),
        ("audition = 1", "audition must be true or false"),
        ('opener = ["open"]', "opener must name {path} or {folder}"),
        ("loudness = 3", "unknown field loudness; known are guidance, steps"),
    ],
)
def test_a_mistake_is_one_sentence_and_the_defaults(tmp_path: Path, text: str, named: str) -> None:
    found, problem = settings.load(written(tmp_path, text))
    assert found == Settings()
    assert named in problem
    assert "\n" not in problem.strip()


def test_a_file_that_is_not_text_is_survived(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert settings.load(file)[0] == Settings()
    assert settings.load(tmp_path)[1]


def test_keys_can_be_moved_and_swapped() -> None:
    assert keymap.remapped({"search.reroll": "R"}) == keymap.Keymap({"search.reroll": "R"})
    swapped = {"track.like": "b", "track.ban": "l"}
    assert keymap.remapped(swapped) == keymap.Keymap(swapped)


def test_a_clash_and_an_unknown_id_are_named() -> None:
    found = keymap.remapped({"search.reroll": "l", "track.lik": "a", "search.wider": "+"})
    assert found.keys == {"search.wider": "+"}
    assert "l is both search.reroll and track.like" in found.problem
    assert "no action called track.lik" in found.problem


def test_every_binding_has_an_id_a_tooltip_and_a_key_of_its_own() -> None:
    assert all(binding.id and binding.tooltip and binding.description for binding in keys.ALL)
    assert len({binding.id for binding in keys.ALL}) == len(keys.ALL)
    assert not keymap.remapped({}).problem
