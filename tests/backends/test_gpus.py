"""Which GPUs there are, on machines with and without."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tuner_tui.backends.cpuset import parse_cpuset
from tuner_tui.backends.gpus import Gpu, choose_gpus, find_gpus

H100 = Gpu(index=0, name="NVIDIA H100 80GB HBM3", memory_gib=81559 / 1024, uuid="GPU-1")


@pytest.fixture
def no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ModuleType("pynvml")

    def fail() -> None:
        raise OSError("libnvidia-ml.so.1 is not there")

    broken.nvmlInit = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", broken)


@pytest.mark.usefixtures("no_nvml")
def test_nvidia_smi_is_asked_where_nvml_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    rows = "0, NVIDIA H100 80GB HBM3, 81559, GPU-1\n1, NVIDIA H100 80GB HBM3, [N/A], GPU-2\nWARNING: infoROM"
    program.write_text(f"#!/bin/sh\ncat <<'EOF'\n{rows}\nEOF\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find_gpus() == (H100,)
    program.write_text("#!/bin/sh\necho 'has failed because it could not communicate with the driver'; exit 9\n")
    assert find_gpus() == ()


@pytest.mark.usefixtures("no_nvml")
def test_none_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpus() == ()


def test_nvml_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """One GPU that fell off the bus does not hide the other, and names may come as bytes."""
    nvml = ModuleType("pynvml")

    class NVMLError(Exception):
        pass

    def handle(index: int) -> int:
        if index == 1:
            raise NVMLError("GPU is lost")
        return index

    nvml.__dict__.update(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=handle,
        nvmlDeviceGetName=lambda _: b"NVIDIA H100 80GB HBM3",
        nvmlDeviceGetUUID=lambda _: "GPU-1",
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=81559 * 2**20),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert find_gpus() == (H100,)


def test_the_listed_are_taken_or_all_or_one_is_missing() -> None:
    found = tuple(Gpu(index=index, name="x", memory_gib=80, uuid=str(index)) for index in (0, 1))
    assert choose_gpus(None, found) == (0, 1)
    assert choose_gpus((1,), found) == (1,)
    assert choose_gpus((), found) == ()
    assert choose_gpus(None, ()) == ()
    with pytest.raises(ValueError, match=r"^gpu 3 is listed, this machine has 0, 1$"):
        choose_gpus((0, 3), found)
    with pytest.raises(ValueError, match=r"^gpus 2, 3 are listed, this machine has no GPU$"):
        choose_gpus((2, 3), ())


def test_cpus_are_read_as_the_kernel_writes_them() -> None:
    assert parse_cpuset("0-2,5") == {0, 1, 2, 5}
    for wrong in ("", "a", "3-1", "1-", "-1", "1,,2", "0-99999999"):
        with pytest.raises(ValueError, match="is not a list of CPUs"):
            parse_cpuset(wrong)
