"""`tuner-tui clean`."""

from __future__ import annotations

from pathlib import Path

import click

from tuner_tui.backends.backend import BackendUnavailable
from tuner_tui.backends.leftovers import Leftover, find_leftovers, remove
from tuner_tui.runner.guard import is_watched
from tuner_tui.runs.lock import holder


def clean_up() -> int:
    """Removes what dead runners left; says what was removed, what belongs to a live run, and what stays because nobody
    can tell, or because it cannot be removed. Exit code 1 where not everything could be looked at."""
    removed = live = 0
    code = 0
    try:
        leftovers = find_leftovers()
    except BackendUnavailable as error:
        click.echo(f"containers are not looked at: {error}", err=True)
        leftovers = find_leftovers(docker=False)
        code = 1
    for leftover in leftovers:
        what = f"{leftover.kind} {leftover.id[:12]} ({leftover.name}) of {leftover.run or 'an unknown run'}"
        try:
            if _is_live(leftover):
                live += 1
            elif remove(leftover):  # else it went by itself meanwhile
                removed += 1
                click.echo(f"removed {what}")
        except BackendUnavailable as error:
            click.echo(f"not removed: {what}: {error}", err=True)
            code = 1
        except OSError as error:
            why = f"whether its run is live cannot be told ({error.strerror}): whoever started that run may clean it"
            click.echo(f"not removed: {what}: {why}", err=True)
            code = 1
    kept = f"; {live} belong to live runs and stay" if live else ""
    click.echo(f"{removed} removed{kept}" if removed else f"nothing to remove{kept}", err=True)
    return code


def _is_live(leftover: Leftover) -> bool:
    """Whether the runner that made it still holds its run's lock. A resumed run has another runner, so that what the
    dead one left is not taken for the live one's. Raises OSError where that cannot be told (it is another user's)."""
    lock = Path(leftover.run) / "lock"
    if leftover.run and lock.exists():
        held = holder(lock)
        return held is not None and held.runner == leftover.runner
    # The folder was deleted, which makes nobody stop; or moved; or it is not to be seen from here.
    return is_watched(leftover.runner)
