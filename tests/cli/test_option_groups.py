"""Groups of options: dataclasses that typer shows as options of a command."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, ClassVar

import pytest
import typer
from typer.testing import CliRunner

from gdr_model.errors import UsageError
from gdr_model.steering import Edit, Sampler, Slider, Steering, WeightedText
from gdr_tui.cli.groups import expanded
from gdr_tui.cli.options import SteeringOptions, existing_file, slider


@dataclass(frozen=True)
class Colours:
    """Two options, one with a default."""

    PANEL: ClassVar[str] = "Colours"

    ink: Annotated[str, typer.Option("--ink", "-i", help="Of the text.")]
    paper: Annotated[list[str] | None, typer.Option(help="Behind it.")] = None


def paint(
    words: Annotated[list[str], typer.Argument(help="What to write.")],
    colours: Colours,
    times: Annotated[int, typer.Option(help="How often.")] = 1,
) -> None:
    """Write in colour."""
    typer.echo(f"{words} {colours.ink} {colours.paper} {times}")


def run(*words: str) -> str:
    app = typer.Typer()
    app.command()(expanded(paint))
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "80"})
    return result.stdout + result.stderr


def test_a_group_arrives_as_the_dataclass_it_is() -> None:
    assert run("a", "b", "-i", "red", "--times", "2") == "['a', 'b'] red None 2\n"
    assert run("a", "--ink", "red", "--paper", "x", "--paper", "y") == "['a'] red ['x', 'y'] 1\n"


def test_a_field_without_a_default_is_required() -> None:
    assert "Missing option '--ink'" in run("a")


def test_its_options_are_shown_in_a_panel_of_its_own() -> None:
    text = run("--help")
    panel = text.index("─ Colours ─")
    assert text.index("--times") < panel < text.index("--ink") < text.index("--paper")
    assert "Write in colour." in text


def test_the_function_itself_is_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    expanded(paint)
    paint(["a"], Colours("blue"))
    assert capsys.readouterr().out == "['a'] blue None 1\n"


def test_the_options_of_steering_are_its_fields_with_its_defaults() -> None:
    names = [field.name for field in fields(SteeringOptions)]
    evidence = {"nearest", "finished", "passed"}  # of one field, with the file of `evidence`
    steering = {f.name for f in fields(Steering)} - {"prompt", "edit"}
    assert sorted(names) == sorted(steering | evidence)
    assert SteeringOptions().steering("warm piano") == Steering("warm piano")


def test_options_become_a_steering() -> None:
    options = SteeringOptions(
        negatives=[WeightedText("drums", 0.5)],
        sliders=[Slider("strings", -1.0)],
        likes=["/m/a.ogg"],
        dislikes=["/m/b.ogg"],
        sampler=Sampler.DDIM,
        interval=(0.1, 0.9),
    )
    edit = Edit("/m/c.ogg")
    assert options.steering("warm piano", edit) == Steering(
        "warm piano",
        negatives=(WeightedText("drums", 0.5),),
        sliders=(Slider("strings", -1.0),),
        likes=("/m/a.ogg",),
        dislikes=("/m/b.ogg",),
        sampler=Sampler.DDIM,
        interval=(0.1, 0.9),
        edit=edit,
    )


def test_a_value_out_of_range_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(UsageError, match="guidance 99 is out of range"):
        SteeringOptions(guidance=99).steering("warm piano")


def test_a_slider_is_words_and_an_amount() -> None:
    assert slider("late night: slow:0.5") == Slider("late night: slow", 0.5)
    for wrong in ("strings", "strings:", "strings:much"):
        with pytest.raises(UsageError, match="write it as in --slide"):
            slider(wrong)


def test_a_file_is_made_absolute(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.ogg").touch()
    monkeypatch.chdir(tmp_path)
    assert existing_file("a.ogg") == str(tmp_path / "a.ogg")
    with pytest.raises(UsageError, match="there is no file"):
        existing_file(str(tmp_path))
