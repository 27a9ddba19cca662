"""What data-parallel copies do together: the latest of each, as far as it still holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.engines.facts import Rank, Running, Where
from tuner_tui.engines.totals import Totals, figures

LINES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 30000).map(lambda tenths: tenths / 10)), max_size=30
)


@given(LINES, st.booleans())
@settings(deadline=None)
def test_the_most_that_ran_and_the_highest_throughput_of_all_copies(
    lines: list[tuple[int, int, float]], clock: bool
) -> None:
    totals = Totals()
    latest: dict[int, tuple[int, int, float]] = {}
    most_requests, most_tokens_per_s = None, None
    now_s = 0
    for copy, running, tokens_per_s in lines:
        now_s += running // 8  # up to five seconds from line to line
        at = f"2026-11-06 12:00:{now_s % 60:02}" if clock and now_s < 60 else ""
        where = Where(1, at, Rank(copy, f"DP{copy}"))
        totals.take(*figures(Running(where=where, kind="decode", running=running, decode_tokens_per_s=tokens_per_s)))
        latest[copy] = running, now_s if at else -1, tokens_per_s
        most_requests = max(most_requests or 0, sum(ran for ran, _, _ in latest.values()))
        together = sum(
            figure
            for _, then_s, figure in latest.values()
            if then_s < 0 or not at or now_s - then_s < 12  # without a time nothing is known to be stale
        )
        most_tokens_per_s = max(most_tokens_per_s or 0.0, round(together, 3))
    assert totals.load.requests_max == most_requests
    found = totals.decode.throughput.max
    assert (found is None) == (most_tokens_per_s is None)
    assert found is None or most_tokens_per_s is None or abs(found - most_tokens_per_s) < 0.002
