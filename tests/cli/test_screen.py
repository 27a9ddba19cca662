"""`tuner-tui`, `attach`, `replay`: where there is no screen to show."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tuner_tui.cli.main import main


def test_a_dumb_terminal_is_refused_with_the_headless_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ran = CliRunner().invoke(main, ["my task.yaml"])
    assert ran.exit_code == 2
    assert ran.stderr == (
        "tuner-tui: this terminal (TERM=dumb) cannot show a screen; without one: tuner-tui run 'my task.yaml'\n"
    )


def test_no_terminal_at_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    ran = CliRunner().invoke(main, [])
    assert ran.exit_code == 2
    assert "this is no terminal; without a screen: tuner-tui run TASK" in ran.stderr


def test_a_word_that_is_neither_command_nor_file_is_an_error() -> None:
    ran = CliRunner().invoke(main, ["rnu"])
    assert ran.exit_code == 2
    assert "No such command 'rnu'" in ran.stderr


@pytest.mark.parametrize("command", ["attach", "replay", "serve"])
def test_the_help_of_each_has_an_example(command: str) -> None:
    ran = CliRunner().invoke(main, [command, "--help"])
    assert ran.exit_code == 0
    assert f"Example:  tuner-tui {command}" in ran.stdout
