"""The decoder's weights are tuned on what the shipped network reads."""

import sys
from pathlib import Path

import pytest

from core.errors import ArtifactMismatch
from worker import tune


def test_a_network_of_another_normalisation_is_not_tuned_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tune, "NORMALISATION_VERSION", "another")
    monkeypatch.setattr(sys, "argv", ["tune", str(tmp_path)])
    with pytest.raises(ArtifactMismatch, match="normalisation"):
        tune.main()
