"""The phases of one start: when each began, and how long it took."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from tuner_tui.engines.facts import Phase, Rank

NAMES: dict[Phase, str] = {
    "start": "start",
    "distributed": "distributed_init",
    "weights": "load_weights",
    "draft": "load_draft_model",
    "kv": "kv_cache",
    "compile": "compile_and_profile",
    "graphs": "capture_graphs",
    "http": "http",
    "warm-up": "warm_up",
    "ready": "ready",
}
"""Phase → its name in JSON."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One phase. `at` is the time as the log prints it (a T between date and time where the year is there), "" where
    it prints none. `seconds` is what the engine says it took, else the time until the next phase; None for the
    last one and where the times are missing. `steps` counts weight files or graph sizes."""

    phase: str
    at: str
    seconds: float | None
    steps: int | None = None


class Timeline:
    """Every phase once, in the order in which the first rank entered it."""

    def __init__(self) -> None:
        self._began: dict[Phase, str] = {}
        self._steps: dict[Phase, int] = {}
        self._told: dict[Phase, dict[tuple[Rank, str], float]] = {}

    def enter(self, phase: Phase, at: str, of: int | None = None) -> None:
        self._began.setdefault(phase, at)
        if of is not None:
            self._steps.setdefault(phase, of)

    def took(self, phase: Phase, elapsed_s: float, rank: Rank, part: str = "") -> None:
        """The engine's own word. Parts of a phase add up, ranks work side by side. When a phase began may be unknown,
        where the log was cut."""
        if phase in ("weights", "graphs"):
            self._began.setdefault(phase, "")
        self._told.setdefault(phase, {})[rank, part] = elapsed_s

    @property
    def steps(self) -> tuple[Step, ...]:
        phases = list(self._began.items())
        ends = [at for _, at in phases[1:]]
        return tuple(
            Step(
                phase=NAMES[phase],
                at=at.replace(" ", "T", 1) if moment(at) and at[:4].isdigit() else at,
                seconds=self._seconds(phase, at, end),
                steps=self._steps.get(phase),
            )
            for (phase, at), end in zip(phases, [*ends, ""], strict=False)
        )

    def _seconds(self, phase: Phase, at: str, end: str) -> float | None:
        if phase in self._told:
            ranks: dict[Rank, float] = {}
            for (rank, _), elapsed_s in self._told[phase].items():
                ranks[rank] = ranks.get(rank, 0.0) + elapsed_s
            return round(max(ranks.values()), 3)
        begin, finish = moment(at), moment(end)
        if begin is None or finish is None:
            return None
        seconds = (finish - begin) / timedelta(seconds=1)
        # A clock without a date passes midnight, or two clocks are mixed: then nothing is known.
        return round(seconds, 3) if seconds >= 0 else None


def moment(at: str) -> datetime | None:
    """A printed time as a moment that may only be compared with others of the same log; None for ""."""
    text = at.replace("T", " ", 1)
    if len(text) > 5 and text[2:3] == ":":
        text = f"1904-01-01 {text}"
    elif text[2:3] == "-":
        text = f"1904-{text}"  # vLLM prints no year; 1904 has every day
    try:
        return datetime.fromisoformat(text[:26])
    except ValueError:
        return None
