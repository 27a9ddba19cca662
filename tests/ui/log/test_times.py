"""Times as engines print them, and as they are asked for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.ui.log.panel_app import shown_log
from tuner_tui.ui.log.times import Times, asked_time, shortened, time_of, time_spans


@pytest.mark.parametrize(
    ("line", "clock", "hidden"),
    [
        ("[2025-11-06 12:09:25] Load weight begin.", "[12:09:25] Load weight begin.", "Load weight begin."),
        ("[2025-02-04 05:21:40 TP0] Init", "[05:21:40 TP0] Init", "[TP0] Init"),
        ("2025-02-04 21:21:40 [2025-02-04 05:21:40 TP0] Init", "[05:21:40 TP0] Init", "[TP0] Init"),
        (
            "(Core pid=19) INFO 11-23 13:37:02 [a.py:6] up",
            "(Core pid=19) INFO 13:37:02 [a.py:6] up",
            "(Core pid=19) INFO [a.py:6] up",
        ),
        ("2025-11-06T12:09:25.143000123Z INFO:     Started", "12:09:25 INFO:     Started", "INFO:     Started"),
        ("no time", "no time", "no time"),
        ("version 12:09:2 is none", "version 12:09:2 is none", "version 12:09:2 is none"),
    ],
)
def test_times_are_found_cut_and_hidden(line: str, clock: str, hidden: str) -> None:
    def shown(times: Times) -> str:
        return "".join(line[start:stop] for start, stop in shortened(line, time_spans(line), times))

    assert (shown("clock"), shown("none"), shown("whole")) == (clock, hidden, line)


def test_the_engines_own_time_counts() -> None:
    assert time_of("2025-02-04 21:21:40 [2025-02-04 05:21:40 TP0] x") == datetime(2025, 2, 4, 5, 21, 40)
    assert time_of("INFO 11-23 13:37:02 [x.py:1]") == datetime(1904, 11, 23, 13, 37, 2)
    assert time_of("2025-11-06T12:09:25.5Z x") == datetime(2025, 11, 6, 12, 9, 25, 500_000)
    assert time_of("[2025-13-40 12:00:00] no such day") is None


FIRST, LAST = datetime(2025, 11, 6, 23, 58, 30), datetime(2025, 11, 7, 0, 10)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("23:59", datetime(2025, 11, 6, 23, 59)),
        ("23:58", datetime(2025, 11, 6, 23, 58)),
        ("0:03:20", datetime(2025, 11, 7, 0, 3, 20)),
        ("11-07 00:03", datetime(2025, 11, 7, 0, 3)),
        ("2025-11-07 00:03", datetime(2025, 11, 7, 0, 3)),
        ("-5m", datetime(2025, 11, 7, 0, 5)),
        ("−90s", datetime(2025, 11, 7, 0, 8, 30)),
        ("+30 s", datetime(2025, 11, 6, 23, 59)),
        ("+0.5h", datetime(2025, 11, 7, 0, 28, 30)),
    ],
)
def test_what_is_asked_for(asked: str, meant: datetime) -> None:
    assert asked_time(asked, FIRST, LAST) == meant


@pytest.mark.parametrize("asked", ["", "noon", "25:00", "12", "-5 days", "13-45 12:00"])
def test_what_is_no_time_is_said(asked: str) -> None:
    with pytest.raises(ValueError, match="time"):
        asked_time(asked, FIRST, LAST)


async def test_a_time_is_gone_to(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("".join(f"[2025-11-06 12:{n // 60:02}:{n % 60:02}] line {n}\n  more\n" for n in range(600)))
    async with shown_log(log) as (app, pilot):
        for asked, line in (("12:03:20", 200), ("-5m", 299), ("+10s", 10), ("11:00", 599), ("13:00", 599)):
            await pilot.press("T", *asked, "enter")
            await pilot.pause()
            current = app.current
            assert current is not None
            assert app.view.texts(current, current)[0].endswith(f" line {line}") or line == 599
        await pilot.press("T", *"noon", "enter")
        await pilot.pause()
        assert app.said[-1].startswith("'noon' is not a time: try 14:03")
        await pilot.press("escape")
        assert app.view.has_focus


async def test_a_line_is_gone_to_by_its_number(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("".join(f"line {n}\n" for n in range(1, 301)))
    async with shown_log(log) as (app, pilot):
        for asked in ("120", "line 120", ":120"):
            await pilot.press("g", "T", *asked, "enter")
            await pilot.pause()
            assert app.current == 119
            assert "line 120" in app.shown()
            assert app.status == "#1 · paused at line 120 · 300 lines"
        await pilot.press("T", *"301", "enter")
        await pilot.pause()
        assert app.said == ["There is no line 301: the log has 300"]


async def test_a_log_without_times_says_so(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("one\ntwo\n")
    async with shown_log(log) as (app, pilot):
        await pilot.press("T", *"12:00", "enter")
        await pilot.pause()
        assert app.said == ["No times in this log"]


async def test_times_are_found_among_many_lines_without(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("".join(f"[2025-11-06 12:{n:02}:00] line {n}\n" + "  more\n" * 150 for n in range(30)))
    async with shown_log(log) as (app, pilot):
        for asked, n in (("12:07", 7), ("-2m", 27), ("+1m", 1)):
            await pilot.press("T", *asked, "enter")
            await pilot.pause()
            assert app.current == n * 151
