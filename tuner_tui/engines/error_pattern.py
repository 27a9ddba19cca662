"""One wording of an error in an engine's log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tuner_tui.engines.counsel import Counsel
from tuner_tui.engines.facts import Fix
from tuner_tui.engines.server_state import ServerState

Advice = Callable[["re.Match[str]", ServerState, str], Counsel]
"""(match, state when the line came, log language or "") → what to do."""

CLEAR, VAGUE, EXCEPTION, WRAPPER = 3, 2, 1, 0
"""How much a wording explains. A clear one beats an earlier vague one (NCCL fails *because* /dev/shm is full), that one
any exception, and any exception one that only tells of another's failure; among equals the first decides."""


class ErrorPattern(NamedTuple):
    """`pattern` is searched in lines that contain one of `needles`. `certain`: no engine that has not been
    ready recovers after it, given that the line is the end of a traceback or argparse's last word."""

    failure_class: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    advice: Advice | str
    example: str
    weight: int = CLEAR
    certain: bool = False
    fix: Fix | None = None
    even_quiet: bool = False
    """Read in lines that the engine itself calls a warning, too."""
    alone: bool = False
    """Counts only where nothing was said before: it follows other failures too."""


def error(
    failure_class: str,
    needles: tuple[str, ...],
    pattern: str,
    advice: Advice | str,
    example: str,
    *,
    weight: int = CLEAR,
    certain: bool = False,
    fix: Fix | None = None,
    even_quiet: bool = False,
    alone: bool = False,
) -> ErrorPattern:
    return ErrorPattern(
        failure_class, needles, re.compile(pattern), advice, example, weight, certain, fix, even_quiet, alone
    )
