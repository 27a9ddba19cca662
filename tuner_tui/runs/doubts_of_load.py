"""What the load's own records make one doubt: failures, lengths, caches, too few samples, a slow client."""

from __future__ import annotations

from collections.abc import Iterator

from tuner_tui.load.model import LevelResult
from tuner_tui.load.scenario import DATASET
from tuner_tui.runs.events import ValidityFlag
from tuner_tui.runs.evidence import LevelEvidence

MAX_FAILED = 0.01
"""Share of failed requests above which a level is not comparable."""
MAX_CACHED = 0.01
"""Share of prompt tokens answered from a prefix cache above which prefill was not measured."""
MAX_LAG = 0.05
"""Share of the mean TPOT that the generator's own lateness may take …"""
NO_LAG_MEAN_S, NO_LAG_P99_S = 0.0005, 0.001
"""… and what counts as none: any operating system wakes a process that late now and then, which must not be held
against an engine that gives a token every millisecond."""
MAX_BUSY = 0.9
"""Share of a CPU from which the busiest generator process may have held the load back."""
MAX_LENGTH_ERROR = 0.01
"""How far prompts may be from the length asked for."""
MIN_RATE = 0.95
"""Share of the asked request rate that must have been sent."""
MIN_DURATION_S = 3.0
"""A level that is over sooner is mostly its first moments, when all requests begin at once."""


def load_doubts(
    result: LevelResult, relied_on: frozenset[tuple[str, str]], evidence: LevelEvidence
) -> Iterator[ValidityFlag]:
    """Doubts about one level. `relied_on`: the (metric, percentile) that objective and limits use there."""
    level = result.name
    if result.wrong_length:
        yield ValidityFlag(
            name="wrong_output_length",
            disqualifies=True,
            level=level,
            seen=f"{result.wrong_length} of {result.succeeded} outputs had another length than asked"
            if result.output_tokens or result.wrong_length < result.succeeded
            else "no answer told how long its output was",
            threshold="0",
            advice="the engine must honour ignore_eos and min_tokens and report usage; see requests.jsonl",
        )
    if result.requests and result.failed / result.requests > MAX_FAILED:
        example = max(result.errors, key=lambda error: result.errors[error], default="")
        yield ValidityFlag(
            name="failed_requests",
            disqualifies=True,
            level=level,
            seen=f"{result.failed} of {result.requests} requests failed" + (f" ({example})" if example else ""),
            threshold=f"{MAX_FAILED:.0%}",
            advice="see the errors in requests.jsonl and the engine's container.log",
        )
    yield from _cached(result, evidence)
    yield from _slow_client(result, relied_on)
    yield from _too_few_samples(result, relied_on)
    yield from _shape(result)


def _cached(result: LevelResult, evidence: LevelEvidence) -> Iterator[ValidityFlag]:
    """By the usage of each answer, or, where that does not tell, by the engine's own counts over the level.

    After preemptions those tell nothing: a request that begins anew finds its own tokens in the cache. What a chat
    template puts before every prompt is in the cache of whoever serves that endpoint, and is not counted. What prompts
    of a dataset have in common is its user's traffic: worth a note, as long as none was sent twice.
    """
    template = result.template_tokens * result.succeeded / result.prompt_tokens if result.prompt_tokens else 0.0
    by_usage = result.cached_tokens / result.prompt_tokens if result.prompt_tokens else 0.0
    share, source = by_usage, "the answers' usage"
    if (by_engine := evidence.cached_share or 0.0) > by_usage and not evidence.preemptions:
        share, source = by_engine, f"the engine's {evidence.cache_source}"
    own_traffic = result.scenario == DATASET and not result.prompts_repeat
    if share > MAX_CACHED + template:
        yield ValidityFlag(
            name="cached_prompts",
            disqualifies=not own_traffic,
            level=result.name,
            seen=f"{share:.1%} of prompt tokens came from a cache, by {source}",
            threshold=f"{MAX_CACHED:.0%}" + (f", and the template's {template:.1%}" if template else ""),
            advice="prompts of the dataset begin alike; a server with other traffic is another server"
            if own_traffic
            else "prompts repeat, or another client sent the same ones: switch prefix caching off, or give a dataset "
            "of more prompts",
        )


def _slow_client(result: LevelResult, relied_on: frozenset[tuple[str, str]]) -> Iterator[ValidityFlag]:
    """A mean is shifted by the mean lag, a percentile by as high a one of it: so that of the two is judged which the
    objective and the limits rest on. The other is worth a note."""
    tpot = result.metrics.tpot_s
    for kind, lag_s, floor_s in (
        ("mean", result.client_lag_mean_s, NO_LAG_MEAN_S),
        ("p99", result.client_lag_p99_s, NO_LAG_P99_S),
    ):
        if tpot is None or lag_s is None or lag_s <= max(MAX_LAG * tpot.mean, floor_s):
            continue
        yield ValidityFlag(
            name="client_lag",
            disqualifies=kind == "mean" or bool(relied_on),
            level=result.name,
            seen=f"the load generator was {lag_s * 1e3:.2f} ms late ({kind}), {lag_s / tpot.mean:.0%} of the mean TPOT",
            threshold=f"{MAX_LAG:.0%}, and over {floor_s * 1e3:g} ms",
            advice="give it CPUs of its own (benchmark.cpus, and the engine's in docker.cpuset or process.cpus)",
        )
        return
    if result.client_busy is not None and result.client_busy > MAX_BUSY:
        yield ValidityFlag(
            name="client_busy",
            disqualifies=False,
            level=result.name,
            seen=f"the busiest load generator process used {result.client_busy:.0%} of a CPU",
            threshold=f"{MAX_BUSY:.0%}",
            advice="give it more CPUs (benchmark.cpus)",
        )


def _too_few_samples(result: LevelResult, relied_on: frozenset[tuple[str, str]]) -> Iterator[ValidityFlag]:
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
            yield ValidityFlag(
                name="too_few_samples",
                disqualifies=used,
                level=result.name,
                seen=f"{percentile} of {distribution.n} requests",
                threshold={"p99": "100 requests", "p90": "10 requests"}.get(percentile, "more requests"),
                advice="raise benchmark.max_requests (and max_time)",
            )


def _shape(result: LevelResult) -> Iterator[ValidityFlag]:
    """Whether the traffic was what was asked for, and enough of it."""
    asked, achieved = result.request_rate, result.metrics.achieved_rate
    if asked and achieved is not None and achieved < MIN_RATE * asked:
        yield ValidityFlag(
            name="rate_not_achieved",
            disqualifies=False,
            level=result.name,
            seen=f"{achieved:.2f} requests a second were sent, {achieved / asked:.0%} of those asked for",
            threshold=f"{MIN_RATE:.0%}",
            advice="the server cannot keep up (raise benchmark.max_in_flight, or ask for less)",
        )
    if result.asked_prompt_tokens and result.prompt_tokens:
        error = result.prompt_tokens / result.asked_prompt_tokens - 1
        if abs(error) > MAX_LENGTH_ERROR:
            yield ValidityFlag(
                name="prompt_length",
                disqualifies=False,
                level=result.name,
                seen=f"prompts were {abs(error):.1%} {'longer' if error > 0 else 'shorter'} than asked, by the "
                "server's usage",
                threshold=f"{MAX_LENGTH_ERROR:.0%}",
                advice="a chat template adds tokens; the completions endpoint takes exact ones",
            )
    if 0 < result.metrics.duration_s < MIN_DURATION_S:
        yield ValidityFlag(
            name="short_level",
            disqualifies=False,
            level=result.name,
            seen=f"the level was over after {result.metrics.duration_s:.1f} s",
            threshold=f"{MIN_DURATION_S:g} s",
            advice="raise benchmark.max_requests (and max_time)",
        )
    if result.concurrency is not None and result.succeeded and result.metrics.steady_output_tokens_per_s is None:
        yield ValidityFlag(
            name="no_steady_state",
            disqualifies=False,
            level=result.name,
            seen=f"{result.requests} requests at concurrency {result.concurrency} are all ramp-up and drain",
            threshold=f"{2 * result.concurrency} requests",
            advice="raise benchmark.max_requests (and max_time)",
        )
