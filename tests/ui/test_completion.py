"""What is offered to someone who types the other engine's name for a flag."""

from __future__ import annotations

import pytest

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.ui.task.completion import candidates


@pytest.mark.parametrize(
    ("engine", "typed", "offered"),
    [
        ("sglang", "max-num-seqs", ["max-running-requests"]),
        ("sglang", "no-enable-prefix-caching", ["disable-radix-cache"]),
        ("sglang", "enable-prefix-caching", []),  # true here would be false there
        ("vllm", "disable-radix-cache", []),
    ],
)
def test_the_other_engine_s_name_leads_to_what_means_the_same(engine: str, typed: str, offered: list[str]) -> None:
    assert [flag.name for flag in candidates(catalogue(engine), typed, ())] == offered
