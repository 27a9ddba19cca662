"""What an error's wording says beyond its class: one sentence of advice, and the change that mends it."""

from __future__ import annotations

from typing import NamedTuple

from tuner_tui.engines.facts import Fix


class Counsel(NamedTuple):
    """`fix` only where it is sure to mend this error."""

    reason: str
    fix: Fix | None = None
