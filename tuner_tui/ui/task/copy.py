"""A command for the user's own shell: to the terminal's clipboard where it heeds that, to a file always."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App

from tuner_tui.ui.log.copy import clipboard_sequence, in_tmux
from tuner_tui.ui.task.document import write


def copy_command(app: App[Any], command: str) -> Path:
    """Where it was written. Raises OSError."""
    import platformdirs

    path = platformdirs.user_cache_path("tuner-tui", ensure_exists=True) / "launch-command.sh"
    write(path, f"{command}\n")
    driver = app._driver
    if driver is not None:
        driver.write(clipboard_sequence(command, in_tmux=in_tmux()))
    return path
