"""Whatever happens to a log that is looked at, whatever is pressed meanwhile, what is shown is what is there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.ui.log.panel_app import settled, shown_log, until
from tuner_tui.ui.log.query import parse_query

KEYS = ["k", "j", "g", "G", "pageup", "pagedown", "s", "w", "t", "n", "N", "m", "M", "ampersand", "l", "h", "escape"]
KEYS += ["shift+up", "shift+down", "e", "c"]
FILTERS = ["1", "!1", "7$", "absent"]


def unrest(log: Path, random_: random.Random) -> None:
    """Something that files undergo."""
    size = log.stat().st_size if log.exists() else 0
    what = random_.randrange(7)
    if what < 3:
        with log.open("ab") as file:
            file.write(b"".join(b"line %d\n" % random_.randrange(1000) for _ in range(random_.randrange(200))))
    elif what == 3:
        with log.open("ab") as file:
            file.write(random_.choice([b"torn 1", b"\r50%", b"7", b"\n"]))
    elif what == 4 and size:
        with log.open("r+b") as file:
            file.truncate(random_.randrange(size))
    elif what == 5:
        other = log.with_name("other")
        other.write_bytes(b"".join(b"other %d\n" % n for n in range(random_.randrange(100))))
        other.replace(log)
    elif size:
        log.unlink()


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_shown_is_what_is_there(tmp_path: Path, seed: int) -> None:
    random_, log = random.Random(seed), tmp_path / "container.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    async with shown_log(log, size=(40, 12)) as (app, pilot):
        for _ in range(30):
            unrest(log, random_)
            if random_.random() < 0.3:
                await pilot.press("slash", *random_.choice(FILTERS), "enter")
            else:
                await pilot.press(*random_.choices(KEYS, k=3))
            if random_.random() < 0.2:
                app.view._reading.hurry()
                await pilot.pause(0.01)
        log.write_text("".join(f"end {n}\n" for n in range(300)))
        await until(pilot, lambda: app.view.document is not None and app.view.document.index.end == log.stat().st_size)
        while app.view.wanted is not None or app.view.wraps or app.view.times != "clock":
            await pilot.press("escape", *("w" if app.view.wraps else ""), *("" if app.view.times == "clock" else "t"))
        await pilot.press("h", "h", "h", "h", "G")
        await settled(app, pilot)
        assert app.shown() == [f"end {n}" for n in range(289, 300)]


async def test_a_filter_follows_upon_another_before_its_first_matches_are_painted(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    async with shown_log(log, size=(40, 12)) as (app, pilot):
        view = app.view
        assert view.document is not None
        view.ask(parse_query("line"))
        view.document.matches.extend(range(50))
        view.document.searched = 50
        view.on_resize()
        assert len(view.viewport.places) == 11
        view.ask(parse_query("7$"))
        assert view.render_lines(view.region)
        await settled(app, pilot)
        assert [line for line in app.shown() if line] == [f"line {n}" for n in range(7, 100, 10)]
