"""What lies in a run's folder for people and pipelines: results.json, results.csv, report.md."""

from __future__ import annotations

from tuner_tui.report.markdown import report
from tuner_tui.report.results import replace_file, results_json
from tuner_tui.report.results_csv import results_csv
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.snapshot import Snapshot


def write_results(snapshot: Snapshot, folder: RunFolder) -> None:
    """Replaces the three files, each at one stroke."""
    replace_file(folder.results, results_json(snapshot))
    replace_file(folder.results_csv, results_csv(snapshot))
    replace_file(folder.report, report(snapshot))
