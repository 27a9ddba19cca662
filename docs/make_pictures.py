"""Draws the pictures of `docs/pictures/` from the app itself: `make pictures`.

The demo runs into a scratch folder and is caught in the midst of it; when it is over, the other screens are shown. The
task's is another sample's, for a container's command has no path of this machine in it.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner_tui.ui.app import TunerApp

PICTURES = Path(__file__).resolve().parent / "pictures"
_SIZE = (120, 36)
_MACHINE = "gpu-box"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        for name in ("DATA", "STATE", "CONFIG"):
            os.environ[f"XDG_{name}_HOME"] = f"{scratch}/{name.lower()}"
        os.environ["TEXTUAL_ANIMATIONS"] = "none"
        os.environ["COLORTERM"] = "truecolor"
        os.environ.pop("NO_COLOR", None)
        print("running the demo, half a minute …", file=sys.stderr)
        tuner = [sys.executable, "-m", "tuner_tui"]
        PICTURES.mkdir(exist_ok=True)
        quiet = subprocess.DEVNULL
        with subprocess.Popen([*tuner, "run", _demo()], stdout=quiet, stderr=quiet) as run:
            try:
                asyncio.run(_draw(run))
            finally:
                run.terminate()
    return 0


def _demo() -> str:
    from tuner_tui.task.samples import sample

    return str(sample("demo"))


async def _draw(demo: subprocess.Popen[bytes]) -> None:
    from tuner_tui.cli.launcher import CommandLauncher
    from tuner_tui.runs.folder import default_runs_dir, list_runs
    from tuner_tui.runs.view import RunReader
    from tuner_tui.ui.app import TunerApp

    class Launcher(CommandLauncher):
        def machine(self) -> str:
            return _MACHINE

    while not list_runs(default_runs_dir()):  # noqa: ASYNC110 (another process makes it)
        await asyncio.sleep(0.1)
    [run] = list_runs(default_runs_dir())
    launcher = Launcher()

    app = TunerApp(launcher, reader=RunReader(run))
    async with app.run_test(size=_SIZE):
        # The third launch at concurrency 4: two are done and can be seen beside it.
        await _shown(app, "launch 3 of 4", r"level 2/2[\s\S]*[1-3]\d/40 req", most_s=60.0)
        _save(app, "run")
        await asyncio.to_thread(demo.wait)

    app = TunerApp(launcher, reader=RunReader(run))
    async with app.run_test(size=_SIZE) as pilot:
        await pilot.press("f5")
        await _shown(app, "TIE|WINNER|UNCONFIRMED", still=True)
        _save(app, "compare")

    app = TunerApp(launcher)
    async with app.run_test(size=_SIZE) as pilot:
        await _shown(app, "winner|tie|unconfirmed", "vllm-throughput", still=True)
        _save(app, "home")
        await pilot.press("tab", "down", "down", "enter")
        await _shown(app, "2 configurations", "docker run", still=True)
        _save(app, "task")


async def _shown(app: TunerApp, *patterns: str, still: bool = False, most_s: float = 20.0) -> None:
    """Waits until all of `patterns` are on the screen and, where it is to be `still`, nothing moves any more."""
    ends = time.monotonic() + most_s
    before = text = ""
    while time.monotonic() < ends:
        await asyncio.sleep(0.3)
        before, text = text, "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        if all(re.search(pattern, text) for pattern in patterns) and (text == before or not still):
            return
    raise SystemExit(f"make_pictures: not all of {patterns} came up:\n{text}")


def _save(app: TunerApp, name: str) -> None:
    path = PICTURES / f"{name}.svg"
    # Without trailing spaces git has nothing to complain of.
    path.write_text(re.sub(r"[ \t]+$", "", app.export_screenshot(title=""), flags=re.M), encoding="utf-8")
    print(path.relative_to(PICTURES.parents[1]))


if __name__ == "__main__":
    sys.exit(main())
