"""Wordings of errors in engine logs → class and advice."""

from __future__ import annotations

from tuner_tui.engines.error_pattern import ErrorPattern
from tuner_tui.engines.flag_errors import FLAG_ERRORS
from tuner_tui.engines.machine_errors import MACHINE_ERRORS
from tuner_tui.engines.memory_errors import MEMORY_ERRORS
from tuner_tui.engines.model_errors import MODEL_ERRORS

PATTERNS: tuple[ErrorPattern, ...] = (*FLAG_ERRORS, *MEMORY_ERRORS, *MODEL_ERRORS, *MACHINE_ERRORS)
"""The first that fits a line is taken, so the particular ones stand before the general ones."""
