from __future__ import annotations

from pathlib import Path

import pytest

from detente import Codebook
from detente_training.config import load_config
from detente_training.negotiation import read_negotiations
from tests.conftest import ROOT

CONFIGS = sorted(path for path in (ROOT / "configs").glob("*.yaml") if "codebook" not in path.name)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_read_and_names_what_is_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    config = load_config(path)
    assert Codebook.load(config.codebook).dimensions
    if config.corpus.exists():  # that of configs/fomc.yaml is not part of the project
        named = {*config.split.only, *config.split.test, *config.split.validation}
        assert named <= set(read_negotiations(config.corpus))
