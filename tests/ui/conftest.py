"""The user's own themes, keys and remembered state are shut out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner_tui.ui import app
from tuner_tui.ui.screens import home


@pytest.fixture(autouse=True)
def _nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    for module in (app, home):
        monkeypatch.setattr(module, "AFTER_PAINT_S", 0.001)
