"""What a room must not drag in."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import tuner_tui


def loaded_after(imports: str, *watched: str) -> list[str]:
    script = f"import sys\n{imports}\nprint(*[name for name in {watched!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_no_room_but_the_screen_knows_textual() -> None:
    modules = [
        module.name
        for module in pkgutil.walk_packages(tuner_tui.__path__, "tuner_tui.")
        if not module.name.startswith(("tuner_tui.ui", "tuner_tui.engines.simulated")) and "__main__" not in module.name
    ]
    assert len(modules) > 40
    assert loaded_after("\n".join(f"import {name}" for name in modules), "textual", "plotext") == []


@pytest.mark.parametrize("heavy", ["docker", "aiohttp", "rich", "huggingface_hub", "yaml"])
def test_help_imports_nothing_heavy(heavy: str) -> None:
    assert loaded_after("import tuner_tui.cli.main", heavy) == []
