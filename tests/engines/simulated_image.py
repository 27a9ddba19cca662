"""The simulated engine's image, made from this machine's own Python: no registry, no network.

A tar of the interpreter, the shared libraries it needs, a shell, aiohttp, and the engine, through `docker import`. The
image carries a hash of all that goes into it, so that it is made anew only when something changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_TAG = "tuner-tui-simulated:latest"
LABEL = "tuner-tui.content"
PACKAGES = "/opt/tuner-tui"
_LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip"}
_LEFT_OUT |= {"lib2to3", "pydoc_data", "__pycache__"}


class CannotBuild(Exception):
    """One sentence with the remedy."""


def main(arguments: list[str]) -> int:
    """Builds the image, or says that it is up to date; exit code 1 with one sentence where it cannot be built."""
    force = "--force" in arguments
    tag = next((argument for argument in arguments if not argument.startswith("-")), DEFAULT_TAG)
    try:
        files = _contents()
        content = _hash(files)
        if force or _label(tag) != content:
            _import(files, tag, content)
            state = "built"
        else:
            state = "up to date"
        print(f"{tag}: {state}, {int(_inspect(tag, '{{.Size}}')) / 1e6:.0f} MB")
    except CannotBuild as error:
        print(f"simulated-image: {error}", file=sys.stderr)
        return 1
    return 0


def _contents() -> dict[str, Path]:
    """Path in the image → file on this machine, sorted."""
    files: dict[str, Path] = {}
    prefix = Path(sys.base_prefix)
    standard = Path(sysconfig.get_path("stdlib", vars={"base": str(prefix), "installed_base": str(prefix)}))
    interpreter = Path(sys.executable).resolve()
    files[str(interpreter)] = interpreter
    for path in _walk(standard):
        files[str(path)] = path
    for name, path in _aiohttp():
        files[f"{PACKAGES}/{name}"] = path
    engine = REPOSITORY / "tuner_tui" / "engines"
    for path in [REPOSITORY / "tuner_tui/__init__.py", engine / "__init__.py", *sorted(engine.glob("simulated/*.py"))]:
        files[f"{PACKAGES}/{path.relative_to(REPOSITORY)}"] = path
    files["/bin/sh"] = Path("/bin/sh").resolve()
    binaries = [path for name, path in files.items() if ".so" in path.name or name in ("/bin/sh", str(interpreter))]
    for library in _libraries(binaries):
        files[str(library)] = library
    return dict(sorted(files.items()))


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _LEFT_OUT or path.name.startswith("config-"):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file() and path.suffix not in (".pyc", ".a"):
            yield path


def _aiohttp() -> Iterator[tuple[str, Path]]:
    """The files of aiohttp and of everything it needs, as they lie in site-packages. Raises CannotBuild."""
    waiting, seen = ["aiohttp"], set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name == "aiohttp":
                raise CannotBuild(
                    "aiohttp is not installed beside this Python (make docker-images sees to it)"
                ) from None
            continue  # only for another version of Python, or an extra
        waiting += [
            re.split(r"[ ;<>=!~\[(]", requirement)[0]
            for requirement in distribution.requires or []
            if "extra ==" not in requirement
        ]
        for file in distribution.files or []:
            path = Path(str(distribution.locate_file(file)))
            if path.suffix != ".pyc" and ".." not in file.parts and path.is_file():
                yield str(file), path


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    """Every shared library that `ldd` names for them, the loader included."""
    found: set[Path] = set()
    for binary in binaries:
        listed = subprocess.run(["ldd", str(binary)], capture_output=True, text=True).stdout
        found.update(Path(path) for path in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listed, re.MULTILINE))
    return found


def _hash(files: dict[str, Path]) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name, path in files.items():
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        digest.update(hashlib.file_digest(path.open("rb"), "sha256").digest())
    return digest.hexdigest()


def _import(files: dict[str, Path], tag: str, content: str) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = str(Path(sys.executable).resolve())
    environment = f"PATH={Path(interpreter).parent}:/usr/bin:/bin PYTHONPATH={PACKAGES} PYTHONUNBUFFERED=1"
    changes = [f"ENV {environment}", f"LABEL {LABEL}={content}", "WORKDIR /tmp", "EXPOSE 30000"]
    command = ["docker", "import", *(part for change in changes for part in ("--change", change)), "-", tag]
    process = _docker(command)
    assert process.stdin is not None
    try:
        with tarfile.open(fileobj=process.stdin, mode="w|") as tar:
            for name, path in files.items():
                info = tar.gettarinfo(str(path.resolve()), arcname=name.lstrip("/"))
                info.uid = info.gid = info.mtime = 0
                info.uname = info.gname = "root"
                with path.open("rb") as file:
                    tar.addfile(info, file)
            for link, target in (("usr/bin/python3", interpreter), (f"usr/bin/{version}", interpreter)):
                if f"/{link}" not in files:
                    info = tarfile.TarInfo(link)
                    info.type, info.linkname = tarfile.SYMTYPE, target
                    tar.addfile(info)
            folder = tarfile.TarInfo("tmp")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(folder)
            passwd = b"root:x:0:0:root:/root:/bin/sh\n"
            info = tarfile.TarInfo("etc/passwd")
            info.size = len(passwd)
            tar.addfile(info, io.BytesIO(passwd))
        process.stdin.close()
    except BrokenPipeError:
        pass
    assert process.stderr is not None
    said = process.stderr.read().decode().strip()
    if process.wait() != 0:
        raise CannotBuild(f"docker import failed: {said} (is a Docker Engine running? dockerd &)")


def _docker(command: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise CannotBuild("the docker command is not installed (apt-get install docker.io)") from None


def _label(tag: str) -> str | None:
    labels = _inspect(tag, "{{json .Config.Labels}}", missing="null")
    found: dict[str, str] = json.loads(labels) or {}
    return found.get(LABEL)


def _inspect(tag: str, template: str, missing: str | None = None) -> str:
    try:
        done = subprocess.run(["docker", "image", "inspect", "--format", template, tag], capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotBuild("the docker command is not installed (apt-get install docker.io)") from None
    if done.returncode == 0:
        return done.stdout.strip()
    if "No such image" in done.stderr and missing is not None:
        return missing
    raise CannotBuild(f"{done.stderr.strip()} (is a Docker Engine running? dockerd &)")
