"""`tuner-tui clean`."""

from __future__ import annotations

from pathlib import Path

import click

from tuner_tui.backends.backend import BackendUnavailable
from tuner_tui.backends.leftovers import Leftover, find_leftovers, remove
from tuner_tui.runs.lock import holder


def clean_up() -> int:
    """Removes what dead runners left; says what was removed and what belongs to a live run. Exit code 1 where
    not everything could be looked at."""
    removed = kept = 0
    code = 0
    try:
        leftovers = find_leftovers()
    except BackendUnavailable as error:
        click.echo(f"containers are not looked at: {error}", err=True)
        leftovers = find_leftovers(docker=False)
        code = 1
    for leftover in leftovers:
        if _is_live(leftover):
            kept += 1
            continue
        if not remove(leftover):
            continue  # it went by itself meanwhile
        removed += 1
        click.echo(
            f"removed {leftover.kind} {leftover.id[:12]} ({leftover.name}) of {leftover.run or 'an unknown run'}"
        )
    live = f"; {kept} belong to live runs and stay" if kept else ""
    click.echo(f"{removed} removed{live}" if removed else f"nothing to remove{live}", err=True)
    return code


def _is_live(leftover: Leftover) -> bool:
    """Whether the runner that made it still holds its run's lock. A resumed run has another runner, so that what the
    dead one left is not taken for the live one's."""
    if not leftover.run:
        return False
    held = holder(Path(leftover.run) / "lock")
    return held is not None and held.runner == leftover.runner
