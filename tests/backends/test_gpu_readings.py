"""NVML's figures, from a stand-in for its binding: no GPU is needed, and none is no error."""

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tuner_tui.backends.gpu_readings import GpuReading, GpuReadings, read_gpu


class NVMLError(Exception):
    pass


def nvml(**changed: Any) -> ModuleType:
    """A binding with one H100 in it, at work; GPU 1 fell off the bus."""
    module = ModuleType("pynvml")

    def handle(index: int) -> int:
        if index == 1:
            raise NVMLError("GPU is lost")
        return index

    module.__dict__.update(
        {
            "NVML_TEMPERATURE_GPU": 0,
            "NVML_CLOCK_SM": 1,
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetHandleByIndex": handle,
            "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(used=64 * 2**30, total=80 * 2**30),
            "nvmlDeviceGetUtilizationRates": lambda _: SimpleNamespace(gpu=97),
            "nvmlDeviceGetPowerUsage": lambda _: 612_345,
            "nvmlDeviceGetEnforcedPowerLimit": lambda _: 700_000,
            "nvmlDeviceGetTemperature": lambda _handle, _sensor: 71,
            "nvmlDeviceGetClockInfo": lambda _handle, _kind: 1755,
            "nvmlDeviceGetMaxClockInfo": lambda _handle, _kind: 1980,
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda _: 0x4 | 0x20 | 0x40 | 0x1,
            "nvmlDeviceGetComputeRunningProcesses": lambda _: [
                SimpleNamespace(pid=11, usedGpuMemory=60 * 2**30),
                SimpleNamespace(pid=12, usedGpuMemory=None),
            ],
        }
        | changed
    )
    return module


def test_all_figures_in_their_units() -> None:
    assert read_gpu(nvml(), 0) == GpuReading(
        index=0,
        used_gib=64.0,
        total_gib=80.0,
        utilisation=0.97,
        power_w=612.345,
        power_limit_w=700.0,
        temperature_c=71,
        clock_mhz=1755,
        clock_max_mhz=1980,
        throttle=("power", "thermal"),
        processes=((11, 60.0), (12, None)),
    )


def test_what_a_gpu_does_not_tell_is_none_and_a_lost_one_is_left_out() -> None:
    def refuse(*_: Any) -> Any:
        raise NVMLError("Not Supported")

    silent = {name: refuse for name in nvml().__dict__ if name.startswith("nvmlDeviceGet")}
    kept = {name: nvml().__dict__[name] for name in ("nvmlDeviceGetHandleByIndex", "nvmlDeviceGetMemoryInfo")}
    assert read_gpu(nvml(**silent | kept), 0) == GpuReading(index=0, used_gib=64.0, total_gib=80.0)
    assert read_gpu(nvml(), 1) is None


def test_the_thread_reads_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setitem(sys.modules, "pynvml", nvml(nvmlShutdown=ended.set))
    readings = GpuReadings((0, 1), interval_s=0.01)
    [only] = readings.wait_first()
    assert only.index == 0
    readings.close()
    assert ended.wait(5)


def test_without_nvml_or_gpus_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("libnvidia-ml.so.1 is not there")

    monkeypatch.setitem(sys.modules, "pynvml", nvml(nvmlInit=fail))
    assert GpuReadings((0,)).wait_first() == ()
    none = GpuReadings(())
    assert none.wait_first() == ()
    assert not none.wanted
