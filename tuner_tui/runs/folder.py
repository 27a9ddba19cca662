"""The run folder: where each file of a run is, and which run a person means."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

GOODBYE = "the run is over:"
"""With this the runner ends its log in order."""
_LINE_BYTES = 4096
_AT = re.compile(rb'"at":"([^"]+)"')
_BEGINNING_BYTES = 200
"""Of a journal: its first event's kind and time stand in them."""


class RunNotFound(Exception):
    """No run, or more than one, answers to the name given; the message says what there is."""


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def task(self) -> Path:
        return self.path / "task.yaml"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def commands(self) -> Path:
        return self.path / "commands.jsonl"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def runner_log(self) -> Path:
        return self.path / "runner.log"

    @property
    def results(self) -> Path:
        return self.path / "results.json"

    @property
    def results_csv(self) -> Path:
        return self.path / "results.csv"

    @property
    def report(self) -> Path:
        return self.path / "report.md"

    @property
    def samples(self) -> Path:
        """How far the preparation (a pull, a download) is; each launch has its own samples.jsonl."""
        return self.path / "samples.jsonl"

    def last_words(self) -> str:
        """What the runner itself had to say last; where it died early, that is the reason. "" where it said nothing.

        One that took the run up again writes on in the same file: a goodbye is of a runner before it.
        """
        try:
            lines = self.runner_log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        words = [line for line in lines if "guard:" not in line]
        if words and GOODBYE not in words[-1]:
            return words[-1]
        return "nothing, no space is left on the disk of its folder" if self._disk_is_full() else ""

    def _disk_is_full(self) -> bool:
        """Whether a line of a log would find no room."""
        try:
            return shutil.disk_usage(self.path).free < _LINE_BYTES
        except OSError:
            return False

    def launch(self, number: int) -> Path:
        """The folder of one launch: launch.json, container.log, requests.jsonl, samples.jsonl."""
        return self.path / "launches" / f"{number:03d}"


def default_runs_dir() -> Path:
    """`$XDG_DATA_HOME/tuner-tui/runs`, or the platform's equivalent."""
    import platformdirs

    return Path(platformdirs.user_data_dir("tuner-tui")) / "runs"


def make_run_folder(runs_dir: Path, task_name: str, moment: datetime) -> RunFolder:
    """A new, empty folder named after the local time and the task. Raises OSError where it cannot be made."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", task_name).strip("-.") or "task"
    base = f"{moment.astimezone():%Y-%m-%dT%H-%M-%S}-{slug[:60]}"
    runs_dir.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, 1000):
        path = runs_dir / (base if attempt == 1 else f"{base}-{attempt}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return RunFolder(path.resolve())
    raise FileExistsError(f"{runs_dir / base}: a thousand runs in one second")


def list_runs(runs_dir: Path) -> list[RunFolder]:
    """All runs, the one that was made last first. Raises OSError where the folder of runs cannot be read."""
    if not runs_dir.is_dir():
        return []
    found = [RunFolder(path.resolve()) for path in runs_dir.iterdir() if _is_run(path)]
    return sorted(found, key=lambda run: (_made_at(run), run.name), reverse=True)


def _made_at(run: RunFolder) -> datetime:
    """As its journal begins: names have the local time, which goes back by an hour when summer time ends. From the
    name where the journal does not tell."""
    try:
        with run.journal.open("rb") as journal:
            if found := _AT.search(journal.read(_BEGINNING_BYTES)):
                return datetime.fromisoformat(found[1].decode()).astimezone()
    except (OSError, ValueError):
        pass
    try:
        return datetime.strptime(run.name[:19], "%Y-%m-%dT%H-%M-%S").astimezone()
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _is_run(path: Path) -> bool:
    """Also a folder that only another user may look into: whoever reads it says so."""
    try:
        return (path / "journal.jsonl").is_file()
    except PermissionError:
        return True


def find_run(given: str, runs_dir: Path) -> RunFolder:
    """The run that `given` names: a path, a name, a unique prefix of one, or `latest`. Raises RunNotFound."""
    path = Path(given)
    if os.sep in given and (path / "journal.jsonl").is_file():
        return RunFolder(path.resolve())
    runs = list_runs(runs_dir)
    if given == "latest":
        if runs:
            return runs[0]
        raise RunNotFound(f"there is no run yet under {runs_dir}")
    if exact := [run for run in runs if run.name == given]:
        return exact[0]
    matching = [run for run in runs if run.name.startswith(given)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = ", ".join(run.name for run in matching[:5])
        raise RunNotFound(f"{given!r} is the beginning of {len(matching)} runs ({names} …): write more of the name")
    if (path / "journal.jsonl").is_file():
        return RunFolder(path.resolve())
    import difflib

    near = difflib.get_close_matches(given, [run.name for run in runs], n=1, cutoff=0.3)
    hint = f"; the nearest is {near[0]}" if near else f"; there are {len(runs)} runs" if runs else "; there is none yet"
    raise RunNotFound(f"no run is called {given!r} under {runs_dir}{hint}")
