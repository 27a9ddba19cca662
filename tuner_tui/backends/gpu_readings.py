"""What the GPUs of a launch are doing, read by NVML twice a second on a thread of its own.

NVML's calls block, some for tens of milliseconds. Names and units are those of NVML's API reference
(`nvmlDeviceGetMemoryInfo`: bytes, `…PowerUsage`: mW, `…ClocksEventReasons`: a bit mask).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import msgspec

INTERVAL_S = 0.5

_REASONS = (
    # The bits of nvmlClocksEventReasons; 0x1 (idle), 0x2 (application clocks) and 0x100 (display) hold nothing down.
    (0x4, "power"),
    (0x8, "hardware"),
    (0x10, "sync"),
    (0x20, "thermal"),
    (0x40, "thermal"),
    (0x80, "power brake"),
    (0x400, "reliability"),
)


class GpuReading(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU at one moment; GiB are 2**30 bytes. None: this GPU or driver does not tell."""

    index: int
    used_gib: float
    total_gib: float
    utilisation: float | None = None
    """0 to 1."""
    power_w: float | None = None
    power_limit_w: float | None = None
    temperature_c: int | None = None
    clock_mhz: int | None = None
    clock_max_mhz: int | None = None
    throttle: tuple[str, ...] = ()
    processes: tuple[tuple[int, float | None], ...] | None = None
    """Compute processes by their pid on the host, each with its memory in GiB (None: not told)."""


class GpuReadings:
    """Reads `gpus` (indices as nvidia-smi counts) until `close`. Without GPUs or NVML there is nothing to read."""

    def __init__(self, gpus: tuple[int, ...], interval_s: float = INTERVAL_S) -> None:
        self._gpus = gpus
        self._interval_s = interval_s
        self._latest: tuple[GpuReading, ...] = ()
        self._stop = threading.Event()
        self._first = threading.Event()
        self._thread: threading.Thread | None = None
        if gpus:
            self._thread = threading.Thread(target=self._run, name="GPU readings", daemon=True)
            self._thread.start()
        else:
            self._first.set()

    @property
    def wanted(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self._gpus)

    @property
    def latest(self) -> tuple[GpuReading, ...]:
        """The last reading of each GPU; () before the first, and without NVML."""
        return self._latest

    def wait_first(self, timeout_s: float = 3.0) -> tuple[GpuReading, ...]:
        """The first readings. Blocks, at most `timeout_s`."""
        self._first.wait(timeout_s)
        return self._latest

    def close(self) -> None:
        """The thread ends after the call it is in; it is not waited for, since a driver can hang for minutes."""
        self._stop.set()

    def _run(self) -> None:
        try:
            import pynvml

            pynvml.nvmlInit()
        except Exception:  # no driver, no library, a driver that does not match: nothing can be read
            self._first.set()
            return
        try:
            while not self._stop.is_set():
                self._latest = tuple(
                    reading for index in self._gpus if (reading := read_gpu(pynvml, index)) is not None
                )
                self._first.set()
                self._stop.wait(self._interval_s)
        finally:
            with contextlib.suppress(Exception):
                pynvml.nvmlShutdown()


def read_gpu(nvml: Any, index: int) -> GpuReading | None:
    """One reading by the module `pynvml`, already initialised; None where the GPU does not answer."""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except Exception:  # it fell off the bus
        return None

    def told(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Exception:  # "not supported" is an exception, and so is a function that an old library lacks
            return None

    busy = told(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    power_mw = told(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    limit_mw = told(lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
    reasons = told(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle))
    processes = told(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle))
    return GpuReading(
        index=index,
        used_gib=memory.used / 2**30,
        total_gib=memory.total / 2**30,
        utilisation=None if busy is None else busy / 100,
        power_w=None if power_mw is None else power_mw / 1000,
        power_limit_w=None if limit_mw is None else limit_mw / 1000,
        temperature_c=told(lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
        clock_mhz=told(lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
        clock_max_mhz=told(lambda: nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_SM)),
        throttle=tuple(dict.fromkeys(name for bit, name in _REASONS if (reasons or 0) & bit)),
        processes=None
        if processes is None
        else tuple(
            (each.pid, None if each.usedGpuMemory is None else each.usedGpuMemory / 2**30) for each in processes
        ),
    )
