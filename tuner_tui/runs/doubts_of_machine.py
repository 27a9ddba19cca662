"""What the machine did to the numbers: GPUs shared, throttled or clocked otherwise, CPUs overloaded. Notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median

from tuner_tui.runs.events import ValidityFlag
from tuner_tui.runs.evidence import Evidence, GpuEvidence, LevelEvidence

FOREIGN_GIB = 0.5
"""Memory of others' processes from which a GPU counts as shared; a desktop alone takes less."""
BUSY_BEFORE = 0.1
"""Utilisation of a GPU on which nothing of ours runs yet."""
MAX_THROTTLED = 0.1
"""Share of the moments in which the clock may be held down."""
MAX_CLOCK_DIFFERENCE = 0.03
MAX_RUNNABLE = 1.5
"""Threads that want a CPU, per CPU."""

_THROTTLE_ADVICE = {
    "power": "the power limit holds the clock down: normal at full load, but compare only launches that ran alike",
    "thermal": "the GPU is too hot: see to its cooling, or lock its clock (nvidia-smi -lgc) for all launches",
    "power brake": "the machine's power supply holds the GPU back: see to it before comparing anything",
    "hardware": "the hardware slows the GPU down: see nvidia-smi -q -d PERFORMANCE",
    "reliability": "the voltage limits the clock: normal at full load",
    "sync": "the GPU is bound to the slowest of its group (sync boost)",
}


def level_machine_doubts(level: LevelEvidence, cpus: int) -> Iterator[ValidityFlag]:
    """Notes about one level."""
    for gpu in level.gpus:
        for reason, share in gpu.throttled.items():
            if share > MAX_THROTTLED:
                yield ValidityFlag(
                    name="gpu_throttled",
                    disqualifies=False,
                    level=level.level,
                    seen=f"GPU {gpu.index}: {reason} held the clock down {share:.0%} of the time",
                    threshold=f"{MAX_THROTTLED:.0%}",
                    advice=_THROTTLE_ADVICE.get(reason, "see nvidia-smi -q -d PERFORMANCE"),
                )
    if level.runnable is not None and level.runnable > MAX_RUNNABLE * cpus:
        yield ValidityFlag(
            name="cpus_overloaded",
            disqualifies=False,
            level=level.level,
            seen=f"{level.runnable:.1f} threads wanted to run on {cpus} CPUs, on average",
            threshold=f"{MAX_RUNNABLE:g} for each CPU",
            advice="other programs disturb engine and load generator: stop them, or give each its own CPUs "
            "(docker.cpuset, benchmark.cpus)",
        )


def machine_doubts(evidence: Evidence) -> Iterator[ValidityFlag]:
    """Notes about the launch as a whole."""
    during = [gpu for level in evidence.levels for gpu in level.gpus]
    yield from _shared(evidence.gpus_before, during)
    clock, earlier = evidence.clock_mhz, evidence.earlier_clocks_mhz
    if clock is not None and earlier:
        usual = median(earlier)
        if abs(clock / usual - 1) > MAX_CLOCK_DIFFERENCE:
            yield ValidityFlag(
                name="gpu_clock_differs",
                disqualifies=False,
                seen=f"the GPUs ran at {clock:.0f} MHz, in earlier launches at {usual:.0f} MHz",
                threshold=f"{MAX_CLOCK_DIFFERENCE:.0%}",
                advice="lock the clock for all launches (nvidia-smi -lgc), and see to power and cooling",
            )


def _shared(before: Iterable[GpuEvidence], during: Iterable[GpuEvidence]) -> Iterator[ValidityFlag]:
    """One note for each GPU that was not this launch's alone."""
    noted: set[int] = set()
    for when, gpus in (("before the launch", before), ("during the load", during)):
        for gpu in gpus:
            held, busy = gpu.foreign_gib or 0.0, gpu.utilisation or 0.0
            early = when == "before the launch"
            if gpu.index in noted or not (held > FOREIGN_GIB or (early and busy > BUSY_BEFORE)):
                continue
            noted.add(gpu.index)
            processes = "1 process" if gpu.foreign_processes == 1 else f"{gpu.foreign_processes} processes"
            what = f"{processes} of others held {held:.1f} GiB" if held > FOREIGN_GIB else f"it was {busy:.0%} busy"
            yield ValidityFlag(
                name="gpu_shared",
                disqualifies=False,
                seen=f"GPU {gpu.index}, {when}: {what}",
                threshold=f"{FOREIGN_GIB:g} GiB, {BUSY_BEFORE:.0%} busy",
                advice="stop what else runs there (nvidia-smi names it), or give the task other gpus",
            )
