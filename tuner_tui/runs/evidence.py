"""What was seen of the engine and the machine while a launch was measured: what its numbers are doubted by.

Gathered by the runner, judged by `validity`, kept nowhere: the flags say what was seen.
"""

from __future__ import annotations

import msgspec

from tuner_tui.engines.remarks import Remark


class GpuEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU over one level, or before the launch. None: not told."""

    index: int
    foreign_gib: float | None = None
    """Most memory that processes of others held …"""
    foreign_processes: int = 0
    """… and most such processes."""
    utilisation: float | None = None
    """Mean, 0 to 1."""
    clock_mhz: float | None = None
    """Mean of the moments in which it was at work."""
    throttled: dict[str, float] = {}
    """Reason → share of the moments in which it held the clock down, 0 to 1."""


class LevelEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One level, from its first request to its last. Tokens are the engine's own counts over that time, cached and
    looked-up ones with their `cache_source`. None: the engine does not say."""

    level: str
    prompt_tokens: float | None = None
    generated_tokens: float | None = None
    cached_tokens: float | None = None
    looked_up_tokens: float | None = None
    cache_source: str = ""
    """ "metrics" or "log"."""
    preemptions: int = 0
    kv_usage_max: float | None = None
    """0 to 1."""
    queued_max: int | None = None
    batches: int = 0
    """Decode batches that the log tells of …"""
    ungraphed: int = 0
    """… and those that ran without a CUDA graph."""
    runnable: float | None = None
    """Threads of the whole machine that wanted a CPU, on average."""
    gpus: tuple[GpuEvidence, ...] = ()

    @property
    def cached_share(self) -> float | None:
        """Of the prompt tokens that were looked up in the prefix cache, 0 to 1."""
        if self.cached_tokens is None or not self.looked_up_tokens:
            return None
        return self.cached_tokens / self.looked_up_tokens


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A whole launch."""

    levels: tuple[LevelEvidence, ...] = ()
    gpus_before: tuple[GpuEvidence, ...] = ()
    """Before the server was started."""
    cpus: int = 1
    """CPUs of the machine."""
    graphs_lost: bool = False
    """The engine says that it uses no CUDA graphs, and the configuration did not ask for that."""
    remarks: tuple[Remark, ...] = ()
    """Lines of the log that matter for speed."""
    earlier_clocks_mhz: tuple[float, ...] = ()
    """Mean GPU clock of each earlier launch of the run."""

    @property
    def clock_mhz(self) -> float | None:
        """Mean GPU clock under load: over levels and GPUs; None where none was told."""
        clocks = [gpu.clock_mhz for level in self.levels for gpu in level.gpus if gpu.clock_mhz is not None]
        return sum(clocks) / len(clocks) if clocks else None
