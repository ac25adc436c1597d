"""Captions of music that is not there: read from tables, given to tracks, and measured."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_set import KINDS, SAID, table

from gdr_model.errors import UsageError
from gdr_model.search.whitening import unit
from training.data import DatasetError
from training.data.corpus import Corpus
from training.evaluation.ridge import Ridge
from training.evaluation.words.without_sound import (
    ALPHA,
    BANK,
    ROWS,
    TEMPERATURE,
    Words,
    answer,
    main,
)
from training.runs.config import RunConfig
from training.runs.space import Space
from training.words.borrowed import Labelled, borrow, read_labelled

LABELS = (*KINDS, "Wind", "Dog")


def musiccaps(folder: Path) -> Path:
    (folder / "yamnet_class_map.csv").write_text(
        "index,mid,display_name\n0,/m/05r5c,Piano\n1,/m/026t6,Drum\n"
    )
    path = folder / "musiccaps-public.csv"
    path.write_text(
        "ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption,is_audioset_eval\n"
        'a,0,10,"/m/05r5c,/m/026t6",[],"A piano\nand drums.",False\n'
        'b,0,10,"/m/05r5c,/t/unknown",[],A piano.,False\n'
        'c,0,10,"/m/05r5c",[],To test the words.,True\n'
        'd,0,10,"/t/unknown",[],Something else.,False\n'
    )
    return path


def test_musiccaps_is_read_as_it_is_published(tmp_path: Path) -> None:
    assert read_labelled(musiccaps(tmp_path)) == [
        Labelled("A piano and drums.", frozenset({"Piano", "Drum"})),
        Labelled("A piano.", frozenset({"Piano"})),
    ]


def test_any_table_with_labels_is_read(tmp_path: Path) -> None:
    rows = read_labelled(table(tmp_path, 3))
    assert [row.caption for row in rows] == [
        f"somebody plays {said}, take {i}" for i, said in enumerate(SAID[:3])
    ]
    assert rows[0].classes == {"Piano", "Music"}


@pytest.mark.parametrize("text", [None, "caption,tags\na,b\n", "words\nonly\n", b"caption\xff\n"])
def test_another_table_is_refused(tmp_path: Path, text: str | bytes | None) -> None:
    path = tmp_path / "other.csv"
    if isinstance(text, bytes):
        path.write_bytes(text)
    elif text is not None:
        path.write_text(text)
    with pytest.raises(DatasetError, match=r"other\.csv cannot be read as captions with labels"):
        read_labelled(path)


def test_tracks_get_captions_of_what_is_heard_in_them(tmp_path: Path, corpus: Corpus) -> None:
    rows = read_labelled(table(tmp_path))
    pairs = borrow(rows, LABELS, corpus.means, 3, seed=0)
    said = [(track, caption) for track, caption in pairs if caption not in LABELS]
    assert len(said) == 24 * 3
    assert len({caption for _, caption in said}) == 24
    fitting = [SAID[track % 4] in caption for track, caption in said]
    assert np.mean(fitting) > 0.9
    named = [(track, caption) for track, caption in pairs if caption in LABELS]
    assert {caption for _, caption in named} == set(KINDS), "no name of a class that nobody means"
    assert np.mean([KINDS[track % 4] == caption for track, caption in named]) > 0.3  # 5 of 20 fit
    assert borrow(rows, LABELS, corpus.means, 3, seed=0) == pairs
    assert borrow(rows, LABELS, corpus.means, 3, seed=1) != pairs


def test_a_table_of_other_classes_lends_nothing(corpus: Corpus) -> None:
    rows = [Labelled(f"a quiet sea {i}", frozenset({"Ocean"})) for i in range(9)]
    assert borrow(rows, LABELS, corpus.means, 3, seed=0) == []


@pytest.fixture
def words(tiny: RunConfig, tmp_path: Path) -> Words:
    return Words.read(tiny, table(tmp_path))


def test_every_row_by_hand(words: Words, tiny: RunConfig, tmp_path: Path) -> None:
    """Ridge on unit texts; the correction, one track after the other."""
    scores, asked = answer(words, tiny, table(tmp_path), "0")
    corpus = words.corpus
    held_out = corpus.divided("0", 0.0)
    assert (asked == held_out.asked).all()
    space = Space.fit(
        tiny.data, [t for t, ours in zip(corpus.latents, held_out.trained, strict=True) if ours]
    )
    points = space.standard(corpus.means)
    texts = unit(corpus.texts.pooled)[corpus.caption_of]
    own, to = texts[held_out.items], corpus.track_of[held_out.items]
    ridge = Ridge.solve(own, points[to], np.ones(len(own)), ALPHA)
    plain = space.search(ridge(texts[asked])) @ space.search(points).T
    np.testing.assert_allclose(scores["ridge"], plain, atol=1e-5)
    bank = np.stack(list(words.table.values()))
    bank = (bank - bank.mean(0) + own.mean(0))[::BANK]
    near = space.search(ridge(bank)) @ space.search(points).T
    for track in range(len(corpus.tracks)):
        common = np.log(np.mean([np.exp(s / TEMPERATURE) for s in near[:, track]])) * TEMPERATURE
        wanted = plain[:, track] - common
        np.testing.assert_allclose(scores["ridge, corrected"][:, track], wanted, atol=1e-5)
    assert np.abs(scores["ridge, borrowed"] - plain).max() > 0.01


def test_what_is_held_out_is_not_learned_from(
    words: Words, tiny: RunConfig, tmp_path: Path
) -> None:
    """Other sounds of the held-out tracks change no score of a trained one."""
    held_out = words.corpus.divided("0", 0.0).held_out
    silent = tuple(
        track[:, ::-1].copy() if away else track
        for track, away in zip(words.corpus.latents, held_out, strict=True)
    )
    other = replace(words, corpus=replace(words.corpus, latents=silent))
    ours, _ = answer(words, tiny, table(tmp_path), "0")
    theirs, _ = answer(other, tiny, table(tmp_path), "0")
    for row in ROWS[:4]:
        np.testing.assert_allclose(ours[row][:, ~held_out], theirs[row][:, ~held_out], atol=1e-5)
        assert np.abs(ours[row][:, held_out] - theirs[row][:, held_out]).max() > 0.01


def test_the_report_has_both_galleries(
    tiny: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "small.yaml"
    config.write_text(json.dumps(tiny.described()))
    main([str(config), "--words", str(table(tmp_path)), "--out", str(tmp_path / "report")])
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "report" / "words.md").read_text()
    assert "40 captions among 20 tracks: all tracks" in printed
    assert "40 captions among 5 tracks: tracks that were not trained on" in printed
    found = Counter(re.findall(r"^\| (\w.*?) +\|", printed, re.MULTILINE))
    # The first row is what the others are subtracted from.
    assert found == {ROWS[0]: 2} | dict.fromkeys(ROWS[1:], 4)
    with pytest.raises(SystemExit, match="1"):
        main([str(config), "--words", str(tmp_path / "none.csv")])
    refused = capsys.readouterr()
    assert refused.out == ""
    assert refused.err.count("\n") == 1
    assert "none.csv cannot be read as captions with labels" in refused.err


def test_only_a_set_with_named_classes_can_borrow(tiny: RunConfig, tmp_path: Path) -> None:
    unnamed = replace(tiny, data=replace(tiny.data, labels=""))
    with pytest.raises(UsageError, match=r"where data\.labels names classes"):
        Words.read(unnamed, table(tmp_path))
    path = tmp_path / "sea.csv"
    path.write_text("caption,labels\n" + "\n".join(f"a quiet sea {i},Ocean" for i in range(9)))
    with pytest.raises(UsageError, match=r"no caption of .*sea\.csv has a class of .*labels\.txt"):
        answer(Words.read(tiny, path), tiny, path, "0")
