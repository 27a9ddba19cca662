"""Whether a server keeps up with the rate at which it is sent requests."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuner_tui.load.model import Growth, RequestRecord

_LEAST_REQUESTS = 10


def growth(records: Sequence[RequestRecord]) -> Growth | None:
    """Least squares of E2E over the sending, of the requests that succeeded among the later half of those sent. While
    the first ones are under way the batch fills, and E2E grows with any server. None of fewer than ten."""
    in_order = sorted(records, key=lambda record: record.sent_s)
    later = [record for record in in_order[len(in_order) // 2 :] if record.error is None]
    n = len(later)
    if n < _LEAST_REQUESTS:
        return None
    x = [record.sent_s for record in later]
    y = [record.end_s - record.sent_s for record in later]
    x_mean, y_mean = math.fsum(x) / n, math.fsum(y) / n
    spread = math.fsum((each - x_mean) ** 2 for each in x)
    if spread <= 0:
        return None
    slope = math.fsum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / spread
    left = math.fsum((b - y_mean - slope * (a - x_mean)) ** 2 for a, b in zip(x, y, strict=True))
    return Growth(slope, math.sqrt(left / (n - 2) / spread))
