"""What other tests would gain and cost: rates of false winners and of true ones found, and the most any test can find.

Needs numpy and scipy, which the project itself does not: pip install scipy

    python benchmarks/verdict_alternatives.py [runs]

The bound: a test that treats seconds like milliseconds sees of two configurations only Welch's T and the ratio of the
two variances (the maximal invariants). Over all such tests that err in at most 4.5 % whatever the true ratio of the
scatters, the most powerful one is a linear programme: the probability of calling a winner in each cell of (ratio, T).
By Hunt and Stein's theorem none without that invariance has a better worst case.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from tuner_tui.search.spending import error_at
from tuner_tui.search.welch import raising_factor

ALPHA = error_at(1)
N = 3
"""Launches of each."""
TESTS = ("ours", "Welch", "Student", "all pooled", "pooled, at least", "moderated", "paired")


def most_powerful(n: int) -> float:
    """The power at equal scatters of 3 % and a difference of 10 %, of the best test that holds its level at any."""
    v, step, reach = n - 1, 0.25, 36
    delta = -math.log(0.9) / (0.03 * math.sqrt(2 / n))
    logit = np.arange(-10, 10 + step / 2, step)
    share = 1 / (1 + np.exp(-logit))
    weight = (share * (1 - share)) ** (v / 2)
    weight /= weight.sum()
    edges = np.concatenate([np.linspace(0.5, 8, 151), np.linspace(8.5, 40, 64)])
    ratios = len(logit) // 2 + reach + 1
    level = np.zeros((reach + 1, ratios * len(edges)))
    power = np.zeros(ratios * len(edges))
    for k in range(reach + 1):
        theta = 1 / (1 + math.exp(-k * step))
        spread = theta * share / v + (1 - theta) * (1 - share) / v
        for i in range(len(logit)):
            ratio = min(abs(i - len(logit) // 2 + k), ratios - 1)
            cells = slice(ratio * len(edges), (ratio + 1) * len(edges))
            at = np.sqrt(spread[i] * 2 * v) * edges
            level[k, cells] += weight[i] * _between(2 * stats.t.sf(at, 2 * v))
            if k == 0:
                power[cells] += weight[i] * _between(stats.nct.sf(at, 2 * v, delta))
    best = optimize.linprog(-power, A_ub=level, b_ub=np.full(reach + 1, ALPHA), bounds=(0, 1), method="highs")
    return float(-best.fun)


def _between(tails: Any) -> Any:
    return tails - np.append(tails[1:], 0)


def won(x: Any, test: str) -> Any:
    """The index of the winner of each run, −1 for none. `x`: runs × configurations × launches."""
    k, n = x.shape[1:]
    mean, variance, each = x.mean(2), x.var(2, ddof=1), np.arange(len(x))
    lead = mean.argmin(1)
    ahead = mean - mean[each, lead][:, None]
    of_lead = variance[each, lead][:, None]
    pooled = variance.mean(1, keepdims=True)
    df: Any = 2 * (n - 1)
    factor = 1.0
    if test in ("ours", "Welch"):
        share = variance / (variance + of_lead)
        df = (n - 1) / (share**2 + (1 - share) ** 2)
        factor = raising_factor(n, n, ALPHA) if test == "ours" else 1.0
    elif test == "all pooled":
        variance, of_lead, df = pooled, pooled, k * (n - 1)
    elif test == "pooled, at least":
        variance, of_lead, df = np.maximum(variance, pooled), np.maximum(of_lead, pooled), k * (n - 1)
    elif test == "moderated":
        variance, prior_df = _moderated(variance, n - 1)
        of_lead = variance[each, lead][:, None]
        share, own = variance / (variance + of_lead), np.minimum(prior_df + n - 1, k * (n - 1))
        df = np.minimum(own / (share**2 + (1 - share) ** 2), k * (n - 1))
    error = np.sqrt((variance + of_lead) / n)
    if test == "paired":
        error, df = np.sqrt((x - x[each, lead][:, None, :]).var(2, ddof=1) / n), n - 1
    beaten = ahead > error * factor * stats.t.isf(ALPHA / 2, df)
    beaten[each, lead] = True
    return np.where(beaten.all(1), lead, -1)


def _moderated(variance: Any, df: int) -> tuple[Any, Any]:
    """Variances drawn to their common mean, as far as their own scatter allows (G. K. Smyth, Statistical Applications
    in Genetics and Molecular Biology 3, 2004)."""
    logs = np.log(variance) - special.digamma(df / 2) + math.log(df / 2)
    excess = logs.var(1, ddof=1, keepdims=True) - special.polygamma(1, df / 2)
    alike = excess <= 0
    half = _trigamma_inverse(np.where(alike, 1.0, excess))
    prior = logs.mean(1, keepdims=True) + np.where(alike, 0.0, special.digamma(half) - np.log(half))
    prior_df = np.where(alike, 1e9, 2 * half)
    return (prior_df * np.exp(prior) + df * variance) / (prior_df + df), prior_df


def _trigamma_inverse(y: Any) -> Any:
    x = 0.5 + 1 / y
    for _ in range(60):
        value = special.polygamma(1, x)
        x = x + value * (1 - value / y) / special.polygamma(2, x)
    return x


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    dice = np.random.default_rng(7)
    worse = math.log(1.15)
    better = math.log(0.9)
    false: list[tuple[str, list[float], list[float]]] = [
        ("2 equal, 3 %", [0, 0], [0.03] * 2),
        ("8 equal, 3 %", [0] * 8, [0.03] * 8),
        ("2 equal at 6 %, 6 worse at 1 %", [0, 0] + [worse] * 6, [0.06] * 2 + [0.01] * 6),
        ("2 equal at 1 %, 6 worse at 6 %", [0, 0] + [worse] * 6, [0.01] * 2 + [0.06] * 6),
        ("2 equal at 6 % and 1 %, 6 worse at 1 %", [0, 0] + [worse] * 6, [0.06] + [0.01] * 7),
    ]
    true: list[tuple[str, list[float], float]] = [
        ("one of 2 is 10 % better, 3 %", [better, 0], 0.0),
        ("one of 8", [better] + [0] * 7, 0.0),
        ("one of 2, 3 % drift between blocks", [better, 0], 0.03),
        ("one of 8, 3 % drift between blocks", [better] + [0] * 7, 0.03),
    ]
    print(f"{N} launches each, first look ({ALPHA:.1%}), {runs} runs a line; block shifts left in")
    print(f"\n{'false winners':42}" + "".join(f"{test:>18}" for test in TESTS))
    for name, mean, scatter in false:
        x = np.array(mean)[None, :, None] + np.array(scatter)[None, :, None] * dice.standard_normal(
            (runs, len(mean), N)
        )
        rates = [float((won(x, test) >= 0).mean()) for test in TESTS]
        print(f"{name:42}" + "".join(f"{rate:18.1%}" for rate in rates))
    print(f"\n{'the better one found':42}" + "".join(f"{test:>18}" for test in TESTS))
    for name, mean, drift in true:
        x = np.array(mean)[None, :, None] + 0.03 * dice.standard_normal((runs, len(mean), N))
        x = x + drift * dice.standard_normal((runs, 1, N))
        print(f"{name:42}" + "".join(f"{float((won(x, test) == 0).mean()):18.1%}" for test in TESTS))
    print("\nthe most that any test finds which holds its level at every ratio of scatters, one of 2:")
    for n in (3, 4, 5):
        v = n - 1
        known = stats.nct.sf(stats.t.isf(ALPHA / 2, v), v, -better / (0.03 / math.sqrt(n)))
        print(f"  {n} launches: {most_powerful(n):.1%}; were all others known exactly, of any number: {known:.1%}")


if __name__ == "__main__":
    main()
