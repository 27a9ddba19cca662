"""What `bench` prints: a block a level, and a line on whatever is to be known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuner_tui.load.find_max import broken_limits
from tuner_tui.load.model import Distribution, Found, LevelResult
from tuner_tui.report.words import milliseconds
from tuner_tui.runs.doubts_of_load import load_doubts
from tuner_tui.runs.evidence import LevelEvidence

_COLUMNS = ("mean", "p50", "p90", "p99", "max")
_COLUMN_CELLS, _METRIC_CELLS = 11, 7
_ADVICE = {
    "wrong_output_length": "the server must honour ignore_eos and min_tokens, and report usage",
    "client_lag": "give the generator more CPUs (--cpus)",
    "client_busy": "give the generator more CPUs (--cpus)",
    "too_few_samples": "raise --max-requests (and --max-time)",
    "short_level": "raise --max-requests (and --max-time)",
    "no_steady_state": "raise --max-requests (and --max-time)",
    "rate_not_achieved": "the server cannot keep up (raise --max-in-flight, or ask for less)",
}
"""By a doubt's name, in place of what is said of it in a run, which a task file would mend."""
_TOLD = ("failed_requests",)  # by their errors


def print_results(results: Sequence[LevelResult], limits_s: Mapping[str, float]) -> None:
    """80 columns wide or less; nothing is cut off."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    remarks: list[str] = []
    console.print(Text(" " * _METRIC_CELLS + "".join(f"{name:>{_COLUMN_CELLS}}" for name in _COLUMNS), style="dim"))
    for result in results:
        metrics = result.metrics
        requests = f"{result.requests} request{'s' if result.requests != 1 else ''}"
        figures = f"{requests}, {metrics.output_tokens_per_s:.0f} tok/s"
        if metrics.achieved_rate is not None:
            figures += f", sent {metrics.achieved_rate:.3g}/s"
        console.print(Text.assemble((result.name, "bold"), f"  {figures}"))
        for metric, distribution in (
            ("TTFT", metrics.ttft_s),
            ("TPOT", metrics.tpot_s),
            ("E2E", metrics.e2e_s),
            ("delay", metrics.delay_s) if metrics.delay_s else ("ITL", metrics.itl_s),
        ):
            cells = (f"{cell:>{_COLUMN_CELLS}}" for cell in _statistics(distribution))
            console.print(Text(f"  {metric:<{_METRIC_CELLS - 2}}" + "".join(cells)))
        remarks += _remarks(result, limits_s)
    console.print()
    for remark in remarks:
        console.print(Text(remark))


def found_words(found: Found, scenario: str, limits: Sequence[str]) -> str:
    """One sentence on what a search came to."""
    unit = "at once" if found.kind == "concurrency" else "a second"
    kept = f"{', '.join(limits)} at {scenario}"
    if found.highest is None and found.lowest_broken is None:
        return f"Not even one request at a time keeps {kept}."
    load = found.highest or found.lowest_broken or 0.0
    keep = f"{load:g} requests {unit} keep {kept}" if load != 1 else f"1 request {unit} keeps {kept}"
    if found.highest is None:
        return f"Not even {keep}."
    return f"{keep}; " + ("more was not tried (--most)." if found.bounded else f"{found.lowest_broken:g} do not.")


def _remarks(result: LevelResult, limits_s: Mapping[str, float]) -> list[str]:
    name, metrics = result.name, result.metrics
    remarks = [f"{name}: {count} × {error}" for error, count in result.errors.items()]
    if limits_s:
        broken = broken_limits(result, limits_s)
        good = f"; {metrics.good_requests} of {result.requests} requests keep them, {metrics.good_requests_per_s:.3g}/s"
        keeps = "breaks the limits: " + "; ".join(broken) if broken else "keeps the limits"
        remarks.append(f"{name} {keeps}{good if metrics.good_requests is not None else ''}")
    doubts: dict[str, list[str]] = {}
    for doubt in load_doubts(result, frozenset(), LevelEvidence(level=name)):
        if doubt.name not in _TOLD:
            doubts.setdefault(_ADVICE.get(doubt.name, doubt.advice), []).append(doubt.seen)
    if result.prompts_repeat:
        doubts.setdefault("give a dataset of more prompts", []).append("prompts were sent twice, as the dataset ended")
    return remarks + [f"{name}: {', '.join(seen)}; {advice}" for advice, seen in doubts.items()]


def _statistics(distribution: Distribution | None) -> list[str]:
    """In milliseconds."""
    if distribution is None:
        return ["–"] * len(_COLUMNS)
    return [milliseconds(getattr(distribution, name)) for name in _COLUMNS]
