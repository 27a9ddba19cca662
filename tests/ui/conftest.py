"""The user's own themes, keys and remembered state are shut out; a test waits for an app no longer than it must."""

from __future__ import annotations

from pathlib import Path

import pytest
import textual._wait

from tuner_tui.ui import app
from tuner_tui.ui.screens import home

_LOOK_S = 0.004
"""A pilot takes the app to be idle once it has used a twentieth of such a while. Textual looks every 20 ms, twice for
each key."""


@pytest.fixture(autouse=True)
def _nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    for module in (app, home):
        monkeypatch.setattr(module, "AFTER_PAINT_S", 0.001)
    monkeypatch.setattr(textual._wait, "SLEEP_GRANULARITY", _LOOK_S)
    monkeypatch.setattr(textual._wait, "SLEEP_IDLE", _LOOK_S / 20)
