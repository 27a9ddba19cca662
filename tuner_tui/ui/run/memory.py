"""GPU memory as bars: weights, KV cache, graphs, other, free."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text

from tuner_tui.engines.facts import Memory
from tuner_tui.runs.samples import GpuSample, Sample
from tuner_tui.ui.run.lines import Styles

SIGNS = {"weights": "█", "kv-cache": "▓", "graphs": "▚", "other-memory": "▒", "free-memory": "░"}
NAMES = {
    "weights": "weights",
    "kv-cache": "KV cache",
    "graphs": "graphs",
    "other-memory": "other",
    "free-memory": "free",
}
"""Each figure of the theme → its sign in a bar, and what it is called."""


class Part(NamedTuple):
    """`name` is one of the theme's figures."""

    name: str
    gib: float


def parts(memory: Memory, gpu: GpuSample | None) -> tuple[list[Part], float | None]:
    """One GPU's parts in the order they are drawn, and its size in GiB; None where nobody tells it.

    What is used beyond the named parts (activations, the driver, others' memory) is `other`. Used and total are
    the GPU's own by NVML where there is a sample, else the engine's word.
    """
    named = [
        Part(name, gib)
        for name, gib in (
            ("weights", memory.weights_gib),
            ("kv-cache", memory.kv_cache_gib),
            ("graphs", memory.graphs_gib),
        )
        if gib
    ]
    known = sum(part.gib for part in named)
    total = gpu.total_gib if gpu is not None else memory.total_gib
    used: float | None = None
    if gpu is not None:
        used = gpu.used_gib
    elif total is not None and memory.available_gib is not None:
        used = total - memory.available_gib
    if total is None:
        return named + ([Part("free-memory", memory.available_gib)] if memory.available_gib else []), None
    if used is None:
        return named, total
    # Before the engine has said how it divides what it took, all of it is `other`.
    other = max(0.0, used - known)
    free = max(0.0, total - max(used, known))
    return [*named, Part("other-memory", other), Part("free-memory", free)], total


def memory_text(
    memory: Memory,
    sample: Sample | None,
    gpus: tuple[int, ...],
    width: int,
    style: Styles,
    *,
    simulated: bool = False,
    ready: bool = True,
    live: bool = False,
) -> Text:
    """A bar and its figures for each GPU of the launch; `memory` is of its worst rank. `ready`: before, only the log
    tells of it. `live`: the launch is under way."""
    text = Text()
    readings = {gpu.index: gpu for gpu in sample.gpus} if sample is not None else {}
    indexes: list[int | None] = [*(gpus or tuple(readings))] or [None]
    if not readings and memory == Memory():
        words = "nothing said of memory yet: it comes with the engine's log" if live else "none was reported"
        return Text(words, style("dim"))
    for index in indexes:
        reading = readings.get(index) if index is not None else None
        _one_gpu(text, index, memory, reading, width, style, many=len(indexes) > 1, simulated=simulated)
    if memory.kv_cache_tokens is not None:
        text.append(f"KV cache {memory.kv_cache_tokens:,} tokens")
        text.append(" in all" if len(indexes) > 1 else "")
        text.append("\n")
    text.append(_sources(memory, bool(readings), ready), style("dim"))
    return text


def _one_gpu(
    text: Text,
    index: int | None,
    memory: Memory,
    gpu: GpuSample | None,
    width: int,
    style: Styles,
    *,
    many: bool,
    simulated: bool,
) -> None:
    found, total = parts(memory, gpu)
    name = f"GPU {index}" if index is not None else "simulated GPU" if simulated else "server"
    text.append(name, "bold")
    text.append(f"  {total:.2f} GiB" if total is not None else "  size not told", style("dim"))
    if gpu is not None:
        text.append("  " + gpu_words(gpu), style("dim"))
        if gpu.throttle:
            text.append(f"  ▼ {', '.join(gpu.throttle)}", style("warning"))
    text.append("\n")
    stacked_bar(text, found, total, width, style)
    text.append("\n")
    at = 0
    for part in found:
        label = f"{SIGNS[part.name]} {NAMES[part.name]} {part.gib:.2f}"
        if at and at + len(label) + 2 > width:
            text.append("\n")
            at = 0
        text.append(("  " if at else "") + label[:1], style(part.name))
        text.append(label[1:])
        at += len(label) + (2 if at else 0)
    text.append("\n")
    if gpu is not None and gpu.foreign_processes:
        text.append(
            f"! {gpu.foreign_processes} foreign process{'es' if gpu.foreign_processes > 1 else ''}, "
            f"{gpu.foreign_gib or 0:.2f} GiB\n",
            style("warning"),
        )


def stacked_bar(text: Text, found: list[Part], total: float | None, width: int, style: Styles) -> None:
    """Each part a stretch of its own sign; what is there at all gets at least one cell."""
    whole = total or sum(part.gib for part in found)
    if not whole:
        return
    edges, done = [0], 0.0
    for part in found:
        done += part.gib
        edges.append(max(edges[-1] + (1 if part.gib >= 0.005 else 0), round(min(1.0, done / whole) * width)))
    for part, begin, end in zip(found, edges, edges[1:], strict=False):
        text.append(SIGNS[part.name] * (min(end, width) - min(begin, width)), style(part.name))


def gpu_words(gpu: GpuSample) -> str:
    """`98 %  310/400 W  64 °C  1,980 MHz`: what NVML told."""
    words = []
    if gpu.utilisation is not None:
        words.append(f"{gpu.utilisation:.0%} busy")
    if gpu.power_w is not None:
        words.append(f"{gpu.power_w:.0f}" + (f"/{gpu.power_limit_w:.0f}" if gpu.power_limit_w else "") + " W")
    if gpu.temperature_c is not None:
        words.append(f"{gpu.temperature_c} °C")
    if gpu.clock_mhz is not None:
        words.append(f"{gpu.clock_mhz:,} MHz")
    return "  ".join(words)


def _sources(memory: Memory, nvml: bool, ready: bool) -> str:
    by = []
    if memory != Memory():
        by.append("parts by the engine's answers, else its log" if ready else "parts by its log")
    by.append("used and total by NVML" if nvml else "no NVML reading")
    return "GiB; " + "; ".join(by)
