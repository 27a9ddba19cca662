"""Flags that an engine refuses: the last line of its argument parser."""

from __future__ import annotations

from tuner_tui.engines.error_pattern import ErrorPattern, error
from tuner_tui.engines.flag_advice import ambiguous_flag, bad_value, unknown_flag

FLAG_ERRORS: tuple[ErrorPattern, ...] = (
    error(
        "unknown_flag",
        ("unrecognized arguments",),
        r"^\S.*: error: unrecognized arguments: (?P<flags>.+)",
        unknown_flag,
        "vllm: error: unrecognized arguments: --no-such-flag 3",
        certain=True,
    ),
    error(
        "unknown_flag",
        ("ambiguous option",),
        r"^\S.*: error: ambiguous option: (?P<flag>\S+) could match (?P<which>.+)",
        ambiguous_flag,
        "sglang serve: error: ambiguous option: --cuda-graph-max-bs could match --cuda-graph-max-bs-decode, --x",
        certain=True,
    ),
    error(
        "bad_flag_value",
        (": error: ",),
        r"^\S.*: error: argument (?P<flag>[^:]+): (?P<why>.+)",
        bad_value,
        "vllm serve: error: argument --max-num-seqs: invalid int value: 'abc'",
        certain=True,
    ),
    error(
        "bad_flag_value",
        (": error: the following arguments",),
        r"^\S.*: error: the following arguments are required: (?P<flags>.+)",
        "the engine misses an argument: {flags}",
        "launch_server.py: error: the following arguments are required: --model-path",
        certain=True,
    ),
)
