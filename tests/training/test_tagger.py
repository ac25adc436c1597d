"""The second teacher, from the weights that the pair musicnn has."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdr_model import paths
from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn.net import MODEL_TYPE, Musicnn, MusicnnConfig
from gdr_model.errors import WeightsMissing
from training.words.tagger import TAGS, Tagger


def test_it_has_to_be_pulled_first() -> None:
    with pytest.raises(WeightsMissing, match="the weights of musicnn are not on this machine"):
        Tagger()


def test_it_gives_logits_of_the_tags_and_features_for_every_second() -> None:
    torch.manual_seed(0)
    config = MusicnnConfig()
    gdr_folder.write(paths.models() / "musicnn", MODEL_TYPE, config, Musicnn(config).state_dict())
    tagger, noise = Tagger(), np.random.default_rng(0).normal(0, 0.1, 5 * 16_000)
    logits, features = tagger(noise.astype(np.float32))
    assert logits.shape == (5, len(TAGS))
    assert features.shape == (5, config.dim)
    with torch.inference_mode():
        again = tagger.net.output(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(logits, again, atol=1e-5)
