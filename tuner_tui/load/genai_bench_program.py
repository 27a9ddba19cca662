"""Where genai-bench is: on the user's PATH, or in the environment that `tuner-tui setup genai-bench` makes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

VERSION = "0.0.5"
"""The release whose files and options are known here; `setup` installs it."""

MISSING = "genai-bench is not installed: `tuner-tui setup genai-bench` installs it in an environment of its own"

READY = ".ready"
"""In the environment of `setup`, once it is complete; holds the version."""


def own_environment() -> Path:
    """The virtual environment of `setup`, under the user's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("tuner-tui")) / "tools" / "genai-bench"


def find_genai_bench() -> Path | None:
    """The program, the user's own before ours; None where there is neither."""
    if found := shutil.which("genai-bench"):
        return Path(found)
    ours = own_environment() / "bin" / "genai-bench"
    complete = (own_environment() / READY).exists() and os.access(ours, os.X_OK)
    return ours if complete else None
