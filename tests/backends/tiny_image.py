"""A container image of a few megabytes from this machine's own shell: no registry and no network is needed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from docker import APIClient

NAME = "tuner-tui-test:shell"
PROGRAMS = ("sh", "sleep", "cat", "seq", "head", "tail", "env", "nproc", "df", "id")


def make(api: APIClient) -> str:
    """Imports the image unless it is there; returns its name."""
    if not api.images(NAME):
        api.import_image_from_data(_tar(), repository="tuner-tui-test", tag="shell")
    return NAME


def _tar() -> bytes:
    files: set[str] = set()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("tmp", "proc", "dev", "sys", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for program in PROGRAMS:
            found = shutil.which(program)
            assert found, f"{program} is needed to make the test image"
            tar.add(Path(found).resolve(), arcname=f"bin/{program}")
            shown = subprocess.run(["ldd", found], capture_output=True, text=True).stdout
            files |= set(re.findall(r"(/\S+)", shown))
        for library in sorted(files):
            tar.add(Path(library).resolve(), arcname=library.lstrip("/"))
    return buffer.getvalue()
