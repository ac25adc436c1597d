"""Prompts on the command line: the signs of the app's line, and files of prompts."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from gdr_model.errors import UsageError
from gdr_model.steering import Slider, WeightedText
from gdr_tui.cli.options import SteeringOptions
from gdr_tui.cli.questions import Prompt, Question, Reader, prompts

TRACKS = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))


def found(stdout: str) -> list[tuple[str, float]]:
    return [(hit["path"], hit["score"]) for hit in map(json.loads, stdout.splitlines())]


def test_the_signs_of_a_prompt_are_the_options() -> None:
    asked = Reader(SteeringOptions()).question(
        "warm piano -drums -vocals:0.5 +bells genre:jazz year:1960..1969"
    )
    options = SteeringOptions(
        negatives=[WeightedText("drums"), WeightedText("vocals", 0.5)],
        sliders=[Slider("bells", 0.5)],
    )
    filtered = "genre = jazz and year = 1960..1969"
    assert asked == Question(options.steering("warm piano"), filtered)


def test_signs_add_to_the_options_and_replace_equal_ones() -> None:
    options = SteeringOptions(negatives=[WeightedText("drums", 2.0), WeightedText("bass")])
    asked = Reader(options, "year > 1990 or year < 1950").question("piano -drums genre:jazz")
    assert asked.steering.negatives == (WeightedText("drums"), WeightedText("bass"))
    assert asked.where == "(year > 1990 or year < 1950) and genre = jazz"


def test_a_prompt_of_signs_alone_asks_for_music() -> None:
    assert Reader(SteeringOptions()).question(" -drums").steering.prompt == "music"


def test_a_negation_is_an_option_and_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    asked = Reader(SteeringOptions()).question("piano, no heavy drums and less bass")
    negatives = [WeightedText("heavy drums"), WeightedText("bass", 0.5)]
    assert asked.steering == SteeringOptions(negatives=negatives).steering("piano")
    assert capsys.readouterr().err == (
        'gdr: read "no heavy drums" and "less bass" as --not \'heavy drums\' --not bass:0.5 '
        "(--literal keeps the words)\n"
    )


def test_a_suspected_negation_is_kept_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    asked = Reader(SteeringOptions()).question("folk with no yodelers")
    assert asked.steering.prompt == "folk with no yodelers"
    assert capsys.readouterr().err == (
        'gdr: kept "no yodelers" as words; --not yodelers pushes away from it\n'
    )


@pytest.mark.parametrize("prompt", ["no drums", "music without drums"])
def test_no_drums_lists_what_a_negative_lists(gdr, demo, prompt: str) -> None:
    read = gdr("search", prompt, "-f", "jsonl", "-k", 5)
    assert found(read.stdout) == found(
        gdr("search", "music", "--not", "drums", "-f", "jsonl", "-k", 5).stdout
    )
    literal = gdr("search", prompt, "--literal", "-f", "jsonl", "-k", 5)
    assert found(literal.stdout) != found(read.stdout)
    assert literal.stderr == ""


def test_words_are_kept_on_request() -> None:
    line = '"piano" -drums genre:jazz'
    assert Reader(SteeringOptions(), keep_words=True).question(line) == Question(
        SteeringOptions().steering(line)
    )


def test_signs_mean_the_same_in_a_prompt_as_in_options(gdr, demo) -> None:
    typed = gdr("search", "piano -drums +bells:0.5 genre:jazz", "-f", "jsonl")
    options = ("--not", "drums", "--slide", "bells:0.5", "--where", "genre = jazz")
    given = gdr("search", "piano", *options, "-f", "jsonl")
    assert found(typed.stdout) == found(given.stdout)
    assert 0 < len(found(typed.stdout)) < len(TRACKS)
    literal = gdr("search", "piano -drums", "--literal", "-f", "jsonl")
    assert found(literal.stdout) != found(gdr("search", "piano -drums", "-f", "jsonl").stdout)


def test_an_edit_and_an_explanation_read_signs_too(gdr, demo) -> None:
    track = TRACKS[0]
    edited = gdr("edit", track, "with strings -drums", "-f", "jsonl")
    given = gdr("edit", track, "with strings", "--not", "drums", "-f", "jsonl")
    assert found(edited.stdout) == found(given.stdout)
    assert "negative drums" in gdr("why", track, "piano -drums").stdout
    assert "prompt piano -drums" in gdr("why", track, "piano -drums", "--literal").stdout


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("piano like:3", "name files with --like and --unlike"),
        ("piano unlike:1", "name files with --like and --unlike"),
        ("piano year:jazz", "year needs a number or a range"),
        ("piano -per-artist:1", "per-artist sets a number and cannot be negated"),
        ("piano -per-album:1", "per-album sets a number and cannot be negated"),
        ("piano -drums:9", "weight of a negative prompt"),
    ],
)
def test_a_sign_that_cannot_be_followed_is_refused(gdr, demo, prompt: str, said: str) -> None:
    result = gdr("search", prompt)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_have_a_byte_order_mark_and_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    text = "# my prompts\r\ncafé jazz\r\n  # not this\r\n\\#1 hits\r\nC# minor"
    file = tmp_path / "prompts.txt"
    file.write_bytes(text.encode(encoding))
    wanted = ["café jazz", "#1 hits", "C# minor"]
    assert [prompt.text for prompt in prompts(None, file)] == wanted
    piped = io.TextIOWrapper(io.BytesIO(text.encode(encoding)))
    monkeypatch.setattr("sys.stdin", piped)
    assert [prompt.text for prompt in prompts(None, Path("-"))] == wanted


def test_prompts_are_words_or_the_lines_of_a_file(tmp_path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("calm piano\n\n  loud drums \n", encoding="utf-8")
    assert prompts(["calm", "piano"], None) == [Prompt("calm piano")]
    assert prompts(None, file) == [
        Prompt("calm piano", f"{file}, line 1"),
        Prompt("loud drums", f"{file}, line 3"),
    ]


@pytest.mark.parametrize("line", ["like:3", "year:old", "-drums:9", "x" * 2001])
def test_an_invalid_line_of_a_file_is_named(gdr, demo, tmp_path, line: str) -> None:
    file = tmp_path / "bad.txt"
    file.write_text(f"# mine\npiano\n\n{line}\n", encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    for named, stdin, place in ((file, None, str(file)), ("-", text, "standard input")):
        refused = gdr("search", "--prompts-file", named, stdin=stdin)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith(f"gdr: {place}, line 4: ")
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("search", "--prompts-file"), ("replay",)])
def test_what_is_wrong_with_a_file_is_said_once(gdr, demo, tmp_path, words) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    for name, said in (
        ("nope", f"there is no file {tmp_path}/nope"),
        ("latin", f"{tmp_path}/latin cannot be read as a {{}}: it is not UTF-8"),
        (".", f"{tmp_path} cannot be read as a {{}}: Is a directory"),
    ):
        refused = gdr(*words, tmp_path / name)
        what = "saved trail" if words[0] == "replay" else "list of prompts"
        assert (refused.exit_code, refused.stderr) == (2, f"gdr: {said.format(what)}\n")


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"# a\n", b"\xef\xbb\xbf", b"\xff\xfe\x00", None]
)
def test_a_file_without_prompts_is_refused(tmp_path, content: bytes | None) -> None:
    file = tmp_path / "prompts.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        prompts(None, file)
    assert str(file) in str(refused.value)
