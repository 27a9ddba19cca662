"""The task screen: the grid and the YAML are one text; the plan is always that of the text as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, asked, screen_text, seen, settled
from tests.ui.runs_on_disk import TASK, finished_run
from tests.ui.task_on_screen import on_task, screen_of, text_of
from tuner_tui.task.reader import read_text
from tuner_tui.task.samples import sample
from tuner_tui.ui.screens import task
from tuner_tui.ui.task.grid import Grid

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])


@SIZES
async def test_a_sample_is_opened_changed_to_three_values_and_started_by_keys_alone(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = finished_run(tmp_path / "runs", tmp_path / "other")
    app = app_under_test(tmp_path)
    app.launcher.answer = run  # type: ignore[attr-defined]
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("tab")
        await pilot.press("enter")
        await settled(pilot)
        assert app.current_mode == "task"
        assert "4 configurations = 4 launches" in screen_text(app)
        await pilot.press("down", "enter")
        await pilot.pause()
        await pilot.press(*", 0.85", "enter")
        await settled(pilot)
        assert "  mem-fraction-static: [0.7, 0.8, 0.85]\n" in text_of(app)
        assert "6 configurations = 6 launches" in screen_text(app)
        await pilot.press("ctrl+r")
        await settled(pilot)
        [(what, path, text)] = asked(app)
        assert (what, path) == ("start", sample("demo"))
        assert isinstance(text, str)
        task = read_text(text, sample("demo")).task
        assert task is not None
        assert next(each.values for each in task.space.parameters if each.name == "mem-fraction-static") == (
            0.7, 0.8, 0.85,
        )  # fmt: skip
        assert app.current_mode == "run"
    assert "0.85" not in sample("demo").read_text()


@SIZES
async def test_a_flag_is_completed_explained_and_added_with_its_values(tmp_path: Path, size: tuple[int, int]) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("a", *"chunked-pre")
        await pilot.pause()
        assert "Longest piece of a prompt" in screen_text(app)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press(*"2048..8192 x2", "enter")
        await settled(pilot)
        assert "  chunked-prefill-size: {from: 2048, to: 8192, times: 2}\n" in text_of(app)
        assert "6 configurations × 2 launches" in screen_text(app)
        await pilot.press("u")
        await settled(pilot)
        assert text_of(app) == TASK


async def test_a_new_flags_default_is_an_offer_that_typing_replaces_and_moving_keeps(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for name, typed, written in (
            ("dp-size", ["2"], "  dp-size: 2\n"),
            ("ep-size", ["right", *", 2"], "  ep-size: [1, 2]\n"),
        ):
            await pilot.press("a", *name)
            await pilot.pause()
            await pilot.press("enter")
            await settled(pilot)
            await pilot.press(*typed, "enter")
            await settled(pilot)
            assert written in text_of(app)


async def test_a_flag_of_the_other_engine_is_named_as_such_and_a_mistyped_one_gets_the_nearest(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a", *"max-num-seqs")
        await pilot.pause()
        assert "this is a vLLM flag" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "this is a vLLM flag" in screen_text(app)
        await pilot.press("escape", "a", *"chunked-prefil-sizee")
        await pilot.pause()
        assert "`chunked-prefil-sizee`; did you mean" in screen_text(app)
        assert "`chunked-prefill-size`?" in screen_text(app)
        await pilot.press("escape")
        await settled(pilot)
        assert text_of(app) == TASK


async def test_a_value_that_cannot_be_is_refused_where_it_is_typed(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("down", "e", *", 1.2", "enter")
        await settled(pilot)
        assert "✗ 1.2 is not a fraction (0–1)" in screen_text(app)
        await pilot.press("escape")
        await settled(pilot)
        assert text_of(app) == TASK


async def test_a_setting_is_chosen_by_keys_and_del_takes_a_flag_out(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("delete")
        await settled(pilot)
        assert "tp-size" not in text_of(app)
        app.screen.query_one(Grid).go_to("objective")
        await pilot.press("enter", "down", "enter")
        await settled(pilot)
        assert "objective: maximize_throughput\n" in text_of(app)
        assert "# searched" in text_of(app)


async def test_a_mistake_in_the_yaml_is_said_with_its_line_and_the_grid_keeps_the_edits(tmp_path: Path) -> None:
    app = on_task(tmp_path, TASK.replace("0.8]", "1.2]"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "mem-fraction-static: 1.2 is not a fraction" in screen_text(app)
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert asked(app) == []
        await pilot.press("f8")
        await settled(pilot)
        assert "line 7: parameters.mem-fraction-static[1]: 1.2 is not a fraction (0–1)" in screen_text(app)
        await pilot.press("delete", "0")
        await pilot.pause(0.4)
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "[0.7, 0.2]   # searched" in text_of(app)
        assert "2 configurations" in screen_text(app)
        assert "✓ valid" in screen_text(app)


async def test_it_is_saved_before_it_is_started_and_what_is_unsaved_is_asked_about(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs", tmp_path / "other")
    app = on_task(tmp_path)
    app.launcher.answer = run  # type: ignore[attr-defined]
    path = tmp_path / "docker-simple-tune.yaml"
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("down", "e", *", 0.9", "enter")
        await settled(pilot)
        assert "not saved" in screen_of(app).unsaved()
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert "[0.7, 0.8, 0.9]   # searched" in path.read_text()
        assert asked(app) == [("start", path, path.read_text())]


async def test_a_start_of_many_hours_is_asked_about(tmp_path: Path) -> None:
    app = on_task(tmp_path, TASK.replace("launches: 2", "launches: 50"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert "100 launches, about" in screen_text(app)
        await pilot.press("n")
        await settled(pilot)
        assert asked(app) == []


async def test_the_chosen_configuration_is_tried_and_its_command_copied_to_a_file(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs", tmp_path / "other")
    app = on_task(tmp_path)
    app.launcher.answer = run  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.screen.query_one("#plan-list").focus()
        await pilot.press("down", "y")
        await settled(pilot)
        [command] = tmp_path.glob("**/launch-command.sh")
        assert "docker run" in command.read_text()
        assert "--mem-fraction-static 0.8" in command.read_text()
        await pilot.press("t")
        await settled(pilot)
        assert asked(app) == [
            ("try_out", tmp_path / "docker-simple-tune.yaml", {"tp-size": 1, "mem-fraction-static": 0.8}, TASK)
        ]


async def test_a_text_that_the_program_fails_at_is_said_to_be_so_and_can_be_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("no such thing")

    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        with monkeypatch.context() as patched:
            patched.setattr(task, "outlook", fail)
            await pilot.press("down", "delete")
            await seen(pilot, "✗ the program does not know how to show this text (KeyError: 'no such thing')")
        await pilot.press("ctrl+r", "u")
        await seen(pilot, "✓ valid", "mem-fraction-static  2")
        assert asked(app) == []
