"""The noise schedule of the method's authors, as the preset `upstream.yaml` gives it."""

from __future__ import annotations

from pathlib import Path

import yaml

from gdr_model.diffusion.schedule import Schedule

PRESET = Path(__file__).parents[1] / "training" / "configs" / "upstream.yaml"
UPSTREAM = Schedule(**yaml.safe_load(PRESET.read_text(encoding="utf-8"))["diffusion"]["schedule"])
