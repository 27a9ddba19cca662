"""What a launch is doing, in few words."""

from __future__ import annotations

from datetime import datetime

from tuner_tui.report.words import duration_words
from tuner_tui.runs.experiment import Launch
from tuner_tui.runs.samples import Phase, Sample
from tuner_tui.ui.run.bar import bar

_BAR, _LEAST_BAR = 8, 4
_SHORT = {"requests": "req", "bytes": "", "s": "s", "": ""}


def launch_phase(launch: Launch, sample: Sample | None, now: datetime, width: int) -> str:
    """The launch under way, at most `width` cells: from its newest sample, or what the journal says. A sample from
    before its start is of the launch before it."""
    phase = sample.phase if sample is not None and sample.at >= launch.started_at else None
    if phase is None or launch.phase == "stopping":
        level = f" level {launch.level + 1}" if launch.level is not None else ""
        return f"{launch.phase}{level}"[:width]
    return phase_words(phase, now, width)


def phase_words(phase: Phase, now: datetime, width: int) -> str:
    """`loading weights ▕████░░░░▏ 2/4`, `level 2/3 31/50 req`, `starting 12 s`; the bar where there is room."""
    name = phase.name
    if phase.level is not None:
        warm = "warm-up" if name.startswith("warm") else "level"
        name = f"{warm} {phase.level + 1}" + (f"/{phase.levels}" if phase.levels else "")
    if phase.done is None:
        elapsed_s = int((now - phase.since).total_seconds())
        if phase.level is not None or elapsed_s < 1:
            return name[:width]
        return f"{name} {f'{elapsed_s} s' if elapsed_s < 60 else duration_words(elapsed_s)}"[:width]
    scale = 2**20 if phase.unit == "bytes" else 1
    unit = "MiB" if phase.unit == "bytes" else _SHORT[phase.unit]
    done, of = f"{phase.done // scale:,}", f"{phase.of // scale:,}" if phase.of else ""
    steps = f"{done}/{of}" if of else done
    steps += f" {unit}" if unit else ""
    share = phase.share
    if share is not None:
        # As wide as it will be in the end, so that it does not move while the figures grow.
        most = len(steps) + len(of) - len(done)
        size = min(_BAR, width - len(name) - most - 4)
        if size >= _LEAST_BAR:
            return f"{name} ▕{bar(share, size)}▏ {steps}"
    return f"{name} {steps}"[:width]
