"""The load on the launch in view: the level under way, the levels done, and what came of the launch."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tuner_tui.load.model import LevelResult
from tuner_tui.report.words import milliseconds, value_with_unit
from tuner_tui.runs.events import Failure, ValidityFlag
from tuner_tui.runs.experiment import Launch
from tuner_tui.runs.samples import Sample
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.search.verdict import metric_name
from tuner_tui.ui.run.bar import bar
from tuner_tui.ui.run.lines import Styles
from tuner_tui.ui.run.rows import score_words

_BOLD = Style(bold=True)


def load_text(
    snapshot: Snapshot, launch: Launch, sample: Sample | None, width: int, style: Styles, *, live: bool
) -> Text:
    """`sample`: the newest of this launch; `live`: which is under way."""
    text = Text()
    if live:
        _under_way(text, snapshot, sample, width, style)
    for tried in launch.tried:
        text.append(f"{tried.traffic.name}  ")
        text.append("; ".join(tried.broken) if tried.broken else "keeps the limits", style("dim"))
        text.append("\n")
    for result in launch.results:
        _level(text, result, width, style)
    if launch.score is not None:
        text.append("score ", style("dim"))
        text.append(score_words(snapshot.objective, launch.score.value), _BOLD)
        text.append(f", {metric_name(snapshot.objective)}\n", style("dim"))
    for flag in launch.validity:
        _flag(text, flag, style)
    if launch.failure is not None:
        failure_text(text, launch.failure, style, may_add=snapshot.finished is None)
    if not text.plain:
        text.append(_nothing_sent(snapshot, launch) if live else "no load was sent", style("dim"))
    text.rstrip()
    return text


def _nothing_sent(snapshot: Snapshot, launch: Launch) -> str:
    ready = launch.start_s is not None
    if snapshot.kind == "try":
        return "no load yet: l sends some" + ("" if ready else ", once the server is ready")
    return "about to begin" if ready else "no load yet: it begins once the server is ready"


def _under_way(text: Text, snapshot: Snapshot, sample: Sample | None, width: int, style: Styles) -> None:
    phase = sample.phase if sample is not None else None
    load = sample.load if sample is not None else None
    if phase is None or phase.level is None or load is None:
        return
    known = snapshot.levels[phase.level].name if phase.level < len(snapshot.levels) else f"level {phase.level + 1}"
    name = phase.detail or known
    text.append(name, _BOLD)
    text.append("  warm-up, not counted" if load.warm_up else "", style("dim"))
    text.append("\n")
    if phase.share is not None:
        text.append(f"▕{bar(phase.share, max(8, min(40, width - 24)))}▏ {phase.share:4.0%}")
        text.append("  " + (f"{phase.done}/{phase.of} s" if phase.unit == "s" else f"{phase.done}/{phase.of} req"))
        text.append("\n")
    text.append(f"{load.done} done  ")
    text.append(f"{load.failed} failed", style("error") if load.failed else Style())
    text.append(f"  {load.running} in flight  {load.elapsed_s:.0f} s\n")
    rate = f"{load.output_tokens_per_s:,.0f} tok/s" if load.output_tokens_per_s is not None else "–"
    text.append(f"TTFT {milliseconds(load.ttft_mean_s)}  E2E {milliseconds(load.e2e_mean_s)}  output {rate}\n")


def _level(text: Text, result: LevelResult, width: int, style: Styles) -> None:
    metrics = result.metrics
    text.append(result.name if result.sought is None else f"{result.name} = {result.load.name}", _BOLD)
    failed = f", {result.failed} failed" if result.failed else ""
    text.append(f"  {result.succeeded} requests{failed}", style("error") if result.failed else style("dim"))
    text.append("\n  ")
    words = [
        f"{name} {milliseconds(each.mean)}"
        for name, each in (("TTFT", metrics.ttft_s), ("TPOT", metrics.tpot_s), ("E2E", metrics.e2e_s))
        if each is not None
    ]
    words.append(value_with_unit(metrics.output_tokens_per_s, "tokens/s"))
    if metrics.good_requests_per_s is not None:
        words.append(f"good {metrics.good_requests_per_s:.3g} req/s")
    text.append("  ".join(words) + "\n")


def _flag(text: Text, flag: ValidityFlag, style: Styles) -> None:
    sign, look = ("! invalid:", style("error")) if flag.disqualifies else ("· note:", style("warning"))
    level = f" at {flag.level}" if flag.level else ""
    text.append(f"{sign} {flag.name.replace('_', ' ')}{level}", look)
    # Where there is no figure to be kept, what was seen says it all.
    limit = f" (limit {flag.threshold})" if flag.threshold[:1].isdigit() else ""
    text.append(f": {flag.seen}{limit}. ")
    text.append(f"{flag.advice}\n", style("dim"))


def failure_text(text: Text, failure: Failure, style: Styles, *, may_add: bool) -> None:
    """Class, advice, the line that decides, and what would mend it. `may_add`: the run takes configurations."""
    text.append(f"✗ {failure.failure_class.replace('_', ' ')}", style("error") + _BOLD)
    text.append(f": {failure.reason}\n")
    if failure.fix is not None:
        text.append(f"  fix: {failure.fix}", _BOLD)
        text.append("  a adds this as a configuration\n" if may_add else "\n", style("dim"))
    if failure.line:
        text.append("  | ", style("dim"))
        text.append(failure.line.strip() + "\n")
