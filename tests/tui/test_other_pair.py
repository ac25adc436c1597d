"""The app on a pair of encoders other than its own: a CLAP made on the spot, without retriever."""

from pathlib import Path

import numpy as np
import soundfile
from driving import WIDE, asked, main, names, opened, picture, until

from gdr_tui.app.main.session import Session


async def test_a_pair_without_retriever_indexes_and_answers(music: Path, tiny_clap: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("one", "two", "three"):
        soundfile.write(music / f"{name}.wav", 0.1 * rng.standard_normal(11 * 48_000), 48_000)
    async with opened(Session([music], str(tiny_clap))).run_test(size=WIDE) as pilot:
        library = main(pilot).library.state
        await until(pilot, lambda: library.indexed, 60)
        assert library.indexed
        assert (library.indexed.encoded, library.indexed.failed) == (3, 0)
        await asked(pilot, "warm piano")
        await until(pilot, lambda: len(names(pilot)) == 3, 30)
        assert "clap, contrastive" in picture(pilot)
