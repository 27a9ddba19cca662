"""Where the program starts."""

from __future__ import annotations

import sys


def main() -> None:
    """`tuner-tui` alone opens the screen, and its first paint does not wait for the commands and what they are made
    with: that is an eighth of the way to it."""
    if len(sys.argv) == 1:
        from tuner_tui.cli.screen import show_screen

        sys.exit(show_screen())
    from tuner_tui.cli.main import main as commands

    commands()
