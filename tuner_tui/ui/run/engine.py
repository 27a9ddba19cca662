"""What the engine is doing, over time: KV cache in use, requests, tokens a second, cache hits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from rich.text import Text

from tuner_tui.runs.samples import EngineSample, History, Sample
from tuner_tui.ui.run.bar import curve
from tuner_tui.ui.run.lines import Styles

WINDOW_S = 120
"""How far back the curves of a launch under way reach."""
_NAME, _NOW = 12, 13


class Curve(NamedTuple):
    """`top`: where the scale ends, None: at the largest value. `words` writes a value."""

    name: str
    pick: Callable[[EngineSample], float | None]
    words: Callable[[float], str]
    top: float | None = None


_CURVES = (
    Curve("KV in use", lambda engine: engine.kv_usage, lambda value: f"{value:.0%}", 1.0),
    Curve("running", lambda engine: engine.running, lambda value: f"{value:,.0f}"),
    Curve("queued", lambda engine: engine.queued, lambda value: f"{value:,.0f}"),
    Curve("decode", lambda engine: engine.decode_tokens_per_s, lambda value: f"{value:,.0f} tok/s"),
    Curve("prefill", lambda engine: engine.prefill_tokens_per_s, lambda value: f"{value:,.0f} tok/s"),
    Curve("cache hits", lambda engine: engine.cache_hit_rate, lambda value: f"{value:.0%}", 1.0),
)


def engine_text(history: History, width: int, style: Styles, *, live: bool) -> Text:
    """`live`: the last two minutes, and the latest figures; else the whole launch, and its means."""
    text = Text(no_wrap=True, overflow="ellipsis")
    served = [sample for sample in history.samples if sample.engine is not None]
    if not served:
        words = "no figures yet: they come once the server is ready" if live else "none were reported"
        return Text(words, style("dim"))
    last = served[-1]
    since = served[0].at
    if live:
        since = max(since, last.at - timedelta(seconds=WINDOW_S))
    shown = [sample for sample in served if sample.at >= since]
    for each in _CURVES:
        values = [value for sample in shown if (value := _value(each, sample)) is not None]
        if not values:
            continue
        now = _value(each, last) if live else sum(values) / len(values)
        text.append(f"{each.name:<{_NAME}}", style("dim"))
        text.append(f"{each.words(now) if now is not None else '–':>{_NOW}}", "bold")
        bounds = f"{each.words(min(values))}–{each.words(max(values))}".replace(" tok/s–", "–")
        room = width - _NAME - _NOW - len(bounds) - 3
        if room >= 8:
            points = min(room, max(1, len(shown)))
            series = history.series(partial(_value, each), points, since=since, until=last.at)
            text.append(" ")
            text.append(curve(_carried(series), top=each.top).ljust(room), style("kv-cache"))
        text.append(f"  {bounds}", style("dim"))
        text.append("\n")
    engine = last.engine
    assert engine is not None
    more = []
    if engine.accept_length:
        more.append(f"{engine.accept_length:.2f} tokens a speculative step")
    if engine.preemptions:
        more.append(f"! {engine.preemptions} preempted for want of KV cache")
    if more:
        text.append("; ".join(more) + "\n", style("warning") if engine.preemptions else "")
    span_s = (last.at - since).total_seconds()
    what = "now, and the curve, least–most of" if live else "mean, and the curve, least–most of"
    source = "its /metrics" if engine.source == "metrics" else "its log"
    text.append(f"{what} {_span(span_s)}; from {source}", style("dim"))
    return text


def _value(curve_: Curve, sample: Sample) -> float | None:
    return curve_.pick(sample.engine) if sample.engine is not None else None


def _carried(series: list[float | None]) -> list[float | None]:
    """A span that no sample fell into shows the one before: samples and cells seldom have the same step."""
    carried: list[float | None] = []
    for value in series:
        carried.append(value if value is not None or not carried else carried[-1])
    return carried


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
