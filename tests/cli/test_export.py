"""`tuner-tui export`: where it writes, and what."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.tuner import TUNER, tuner
from tests.ui.runs_on_disk import finished_run
from tuner_tui.cli.main import main


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    finished_run(tmp_path / "runs", tmp_path)
    return tmp_path / "runs"


def export(runs_dir: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", "latest", "--runs-dir", str(runs_dir), *map(str, arguments)])


def test_a_file_is_made_anew_and_its_path_printed(runs_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("old")
    assert export(runs_dir, "-o", path).stdout == f"{path}\n"
    assert path.read_text().startswith("# ")


def test_a_link_is_followed(runs_dir: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "target.md", tmp_path / "link.md"
    target.write_text("old")
    link.symlink_to(target)
    assert export(runs_dir, "-o", link).exit_code == 0
    assert link.is_symlink()
    assert target.read_text().startswith("# ")


def test_what_is_no_file_is_written_into_and_stays_what_it_is(runs_dir: Path, tmp_path: Path) -> None:
    """A pipe stands for /dev/null here, which a test had better not put at risk."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert export(runs_dir, "-o", pipe).exit_code == 0
        assert pipe.is_fifo()
        assert os.read(reader, 2) == b"# "
    finally:
        os.close(reader)


def test_standard_output_has_the_report_and_nothing_else_whatever_it_is_and_is_called(
    runs_dir: Path, tmp_path: Path
) -> None:
    link, redirected = tmp_path / "stdout", tmp_path / "redirected.md"
    link.symlink_to("/proc/self/fd/1")  # as /dev/stdout is
    with redirected.open("wb") as file:
        subprocess.run([*TUNER, "export", "latest", "--runs-dir", runs_dir, "-o", link], stdout=file, check=True)
    dashed = tuner("export", "latest", "--runs-dir", runs_dir, "-o", "-").stdout
    assert redirected.read_text() == dashed
    assert dashed.startswith("# ")


@pytest.mark.parametrize("name", ["compose.yaml", "x.YML"])
def test_yaml_may_be_either_of_two(runs_dir: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    ran = export(runs_dir, "-o", path)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == f"tuner-tui: {path}: --format compose or --format k8s? Both are YAML\n"
    assert not path.exists()
    assert export(runs_dir, "-o", path, "--format", "compose").exit_code == 0
    assert "services:" in path.read_text()
