"""Which GPUs this machine has. Quick, and silent where there are none."""

from __future__ import annotations

import contextlib
import csv
import shutil
import subprocess

import msgspec

NVIDIA_SMI = ("--query-gpu=index,name,memory.total,uuid", "--format=csv,noheader,nounits")
NVIDIA_SMI_S = 10.0
"""It takes up to 4 s on a machine with eight GPUs whose driver is not kept loaded."""


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU, by its index as nvidia-smi counts. GiB are 2**30 bytes."""

    index: int
    name: str
    memory_gib: float
    uuid: str


def find_gpus() -> tuple[Gpu, ...]:
    """All NVIDIA GPUs, by NVML; where that cannot be loaded, by nvidia-smi; else none. Never raises. Blocks."""
    try:
        return _from_nvml()
    except Exception:  # no driver, no library, a driver that does not match: all of it means "ask nvidia-smi"
        return _from_nvidia_smi()


def _from_nvml() -> tuple[Gpu, ...]:
    import pynvml

    pynvml.nvmlInit()
    try:
        found = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            with contextlib.suppress(pynvml.NVMLError):  # one that fell off the bus must not hide the others
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                found.append(
                    Gpu(
                        index=index,
                        name=_text(pynvml.nvmlDeviceGetName(handle)),
                        memory_gib=pynvml.nvmlDeviceGetMemoryInfo(handle).total / 2**30,
                        uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
                    )
                )
        return tuple(found)
    finally:
        pynvml.nvmlShutdown()


def _from_nvidia_smi() -> tuple[Gpu, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        answer = subprocess.run(
            [program, *NVIDIA_SMI], capture_output=True, text=True, timeout=NVIDIA_SMI_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = []
    for row in csv.reader(answer.splitlines(), skipinitialspace=True):
        with contextlib.suppress(ValueError):  # "[N/A]", or a warning among the rows
            index, name, memory_mib, uuid = row
            found.append(Gpu(index=int(index), name=name, memory_gib=float(memory_mib) / 1024, uuid=uuid))
    return tuple(found)


def _text(value: str | bytes) -> str:
    """NVML's binding gave bytes before version 12."""
    return value.decode() if isinstance(value, bytes) else value


def docker_has_nvidia() -> bool:
    """Whether the Docker Engine can give GPUs to a container: it has the NVIDIA runtime, or knows NVIDIA's devices
    by CDI. False where no Engine answers. Blocks."""
    from tuner_tui.backends.docker_connection import connect

    try:
        api = connect()
    except Exception:
        return False
    try:
        facts = api.info()
    except Exception:
        return False
    finally:
        api.close()
    devices = facts.get("DiscoveredDevices") or ()  # Engine 28.3 and newer
    return "nvidia" in (facts.get("Runtimes") or {}) or any(
        str(device.get("ID", "")).startswith("nvidia.com/gpu") for device in devices
    )


def choose_gpus(listed: tuple[int, ...] | None, found: tuple[Gpu, ...]) -> tuple[int, ...]:
    """The GPUs a task may use: those it lists, or all that are found where it says nothing.

    Raises ValueError, with a sentence, for a listed one that this machine does not have.
    """
    there = tuple(gpu.index for gpu in found)
    if listed is None:
        return there
    missing = [gpu for gpu in listed if gpu not in there]
    if missing:
        which = f"gpu {missing[0]} is" if len(missing) == 1 else f"gpus {', '.join(map(str, missing))} are"
        has = ", ".join(map(str, there)) or "no GPU"
        raise ValueError(f"{which} listed, this machine has {has}")
    return listed
