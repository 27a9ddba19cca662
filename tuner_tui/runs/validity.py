"""Whether a launch's numbers may be believed: DESIGN's rule 5, as far as the load's own records show it."""

from __future__ import annotations

from collections.abc import Sequence

from tuner_tui.load.model import LevelResult
from tuner_tui.runs.events import ValidityFlag
from tuner_tui.search.limits import percentiles_used
from tuner_tui.task.model import Limit, Objective

MAX_FAILED = 0.01
"""Share of failed requests above which a level is not comparable."""
MAX_CACHED = 0.01
"""Share of prompt tokens answered from a prefix cache above which prefill was not measured."""


def validity(
    objective: Objective, results: Sequence[LevelResult], limits: Sequence[Limit] = ()
) -> tuple[ValidityFlag, ...]:
    """Every doubt about these levels, disqualifying ones first."""
    flags: list[ValidityFlag] = []
    for result in results:
        level = result.name
        if result.wrong_length:
            flags.append(
                ValidityFlag(
                    name="wrong_output_length",
                    disqualifies=True,
                    level=level,
                    seen=f"{result.wrong_length} of {result.succeeded} outputs had another length than asked",
                    threshold="0",
                    advice="the engine must honour ignore_eos and min_tokens and report usage; see requests.jsonl",
                )
            )
        if result.requests and result.failed / result.requests > MAX_FAILED:
            example = max(result.errors, key=lambda error: result.errors[error], default="")
            flags.append(
                ValidityFlag(
                    name="failed_requests",
                    disqualifies=True,
                    level=level,
                    seen=f"{result.failed} of {result.requests} requests failed" + (f" ({example})" if example else ""),
                    threshold=f"{MAX_FAILED:.0%}",
                    advice="see the errors in requests.jsonl and the engine's container.log",
                )
            )
        if result.prompt_tokens and result.cached_tokens / result.prompt_tokens > MAX_CACHED:
            flags.append(
                ValidityFlag(
                    name="cached_prompts",
                    disqualifies=True,
                    level=level,
                    seen=f"{result.cached_tokens / result.prompt_tokens:.1%} of prompt tokens came from a cache",
                    threshold=f"{MAX_CACHED:.0%}",
                    advice="prompts are unique, so something else warmed the cache: switch prefix caching off",
                )
            )
        flags += _too_few_samples(percentiles_used(objective, limits, level), level, result)
    return tuple(sorted(flags, key=lambda flag: not flag.disqualifies))


def _too_few_samples(relied_on: frozenset[tuple[str, str]], level: str, result: LevelResult) -> list[ValidityFlag]:
    flags = []
    for metric, distribution in (
        ("ttft", result.metrics.ttft_s),
        ("tpot", result.metrics.tpot_s),
        ("e2e", result.metrics.e2e_s),
    ):
        if distribution is None:
            continue
        for percentile in distribution.too_few_samples:
            used = (metric, percentile) in relied_on
            # Where nothing rests on it, one note a level is enough: all three metrics have the same n.
            if not used and metric != "e2e":
                continue
            flags.append(
                ValidityFlag(
                    name="too_few_samples",
                    disqualifies=used,
                    level=level,
                    seen=f"{percentile} of {distribution.n} requests",
                    threshold={"p99": "100 requests", "p90": "10 requests"}.get(percentile, "more requests"),
                    advice="raise benchmark.max_requests (and max_time)",
                )
            )
    return flags
