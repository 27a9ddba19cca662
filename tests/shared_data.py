"""Where the logs and data gathered outside the repository are, for the tests that read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("TUNER_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def shared(path: str) -> Path:
    """A file of the gathered material; the test is skipped where it is absent."""
    found = FOLDER / path
    if not found.exists():
        pytest.skip(f"{path} is not under {FOLDER} (set TUNER_SHARED to where it is)")
    return found
