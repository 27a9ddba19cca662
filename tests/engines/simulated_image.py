"""The simulated engine's image, made from this machine's own Python: no registry, no network.

A tar of the interpreter, the shared libraries it needs, a shell, aiohttp, and the engine, through `docker import`. The
image carries a hash of all that goes into it, so that it is made anew only when something changed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO

from tests.engines.simulated_image_contents import PACKAGES, CannotBuild, Contents, bytecode, collect, executable

DEFAULT_TAG = "tuner-tui-simulated:latest"
LABEL = "tuner-tui.content"
_IMPORTED = ("aiohttp.web", "tuner_tui.engines.simulated")
_SERVE = ["python3", "-m", "tuner_tui.engines.simulated", "--model-path", "llama-3.2-1b-instruct"]
_SERVE += ["--host", "0.0.0.0", "--port", "30000"]


def main(arguments: list[str]) -> int:
    """Builds the image, or says that it is up to date; exit code 1 with one sentence where it cannot be built."""
    parser = argparse.ArgumentParser(prog="simulated-image", description="Builds the simulated engine's image.")
    parser.add_argument("tag", nargs="?", default=DEFAULT_TAG, help=f"the image's name, {DEFAULT_TAG} if not given")
    parser.add_argument("--force", action="store_true", help="build even if the image is up to date")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        _require_engine()
        contents = collect()
        changes = _changes(contents)
        content = _content(contents, changes)
        state = "up to date"
        if given.force or _label(given.tag) != content:
            _replace(given.tag, contents, [*changes, f"LABEL {LABEL}={content}"])
            state = f"built in {time.monotonic() - began:.1f} s"
        print(f"{given.tag}: {state}, {int(_inspect(given.tag, '{{.Size}}') or 0) / 1e6:.0f} MB")
    except CannotBuild as error:
        print(f"simulated-image: {error}", file=sys.stderr)
        return 1
    return 0


def write_tar(stream: IO[bytes], contents: Contents) -> None:
    """The image's file system, uncompressed: the same bytes for the same contents; owned by root, readable by all."""
    files: dict[str, Path | bytes] = {**contents.files, **contents.texts}
    files |= dict(filter(None, (bytecode(name, path) for name, path in contents.files.items())))
    names = {*files, *contents.links, "/tmp", "/root"}
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents} - {"/"} | {"/tmp", "/root"}
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, bufsize=2**20) as tar:
        for name in sorted(names | folders):
            info = tarfile.TarInfo(name.lstrip("/"))
            found = files.get(name, b"")
            if name in folders:
                info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == "/tmp" else 0o755
            elif target := contents.links.get(name):
                info.type, info.linkname = tarfile.SYMTYPE, target
            elif isinstance(found, Path):
                info.mode = 0o755 if executable(found) else 0o644
            content = found.read_bytes() if isinstance(found, Path) else found
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _changes(contents: Contents) -> list[str]:
    """What `docker import` is to note in the image, in the Dockerfile's language."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": PACKAGES, "PYTHONUNBUFFERED": "1"}
    if contents.library_path:
        environment["LD_LIBRARY_PATH"] = ":".join(contents.library_path)
    changes = [f'ENV {name}="{value}"' for name, value in environment.items()]
    return [*changes, "WORKDIR /tmp", "EXPOSE 30000", f"CMD {json.dumps(_SERVE)}"]


def _content(contents: Contents, changes: list[str]) -> str:
    """SHA-256 of all that decides what the image is like, these two files included."""
    whole = hashlib.sha256(contents.digest().encode() + repr(changes).encode())
    for name in ("simulated_image.py", "simulated_image_contents.py"):
        whole.update(Path(__file__).with_name(name).read_bytes())
    return whole.hexdigest()


def _require_engine() -> None:
    said = _docker("version", "--format", "{{.Server.Version}}")
    if said.returncode == 0:
        return
    if "permission denied" in said.stderr:
        raise CannotBuild(
            "the Docker Engine's socket may not be opened by this user: sudo usermod -aG docker $USER, then log in anew"
        )
    raise CannotBuild(f"no Docker Engine answers: sudo systemctl start docker, or dockerd & ({_line(said.stderr)})")


def _replace(tag: str, contents: Contents, changes: list[str]) -> None:
    """Gives the tag to a new image that works. The one that had it before goes, unless something else uses it."""
    before = _inspect(tag, "{{.Id}}")
    made = _import(contents, changes)
    try:
        tried = _docker("run", "--rm", "--network", "none", made, "python3", "-c", f"import {', '.join(_IMPORTED)}")
        if tried.returncode != 0:
            raise CannotBuild(f"{sys.executable} does not work in a container: {_line(tried.stderr)}")
        named = _docker("tag", made, tag)
        if named.returncode != 0:
            raise CannotBuild(f"docker does not take {tag} as an image's name: {_line(named.stderr)}")
    finally:
        for image in {made, before} - {None}:
            if _inspect(str(image), "{{json .RepoTags}}") == "[]":
                _docker("image", "rm", str(image))


def _import(contents: Contents, changes: list[str]) -> str:
    """The new image's id; it has no name yet."""
    command = ["docker", "import", *(part for change in changes for part in ("--change", change)), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        with suppress(BrokenPipeError):  # docker gave up early, and says why
            write_tar(process.stdin, contents)
        with suppress(BrokenPipeError):
            process.stdin.close()
        made, said = (stream.read().decode(errors="replace") for stream in (process.stdout, process.stderr))
    if process.returncode != 0:
        raise CannotBuild(f"docker import failed: {_line(said)}")
    return made.strip()


def _label(tag: str) -> str | None:
    labels: dict[str, str] | None = json.loads(_inspect(tag, "{{json .Config.Labels}}") or "null")
    return (labels or {}).get(LABEL)


def _inspect(image: str, template: str) -> str | None:
    """None if there is no such image."""
    done = _docker("image", "inspect", "--format", template, image)
    return done.stdout.strip() if done.returncode == 0 else None


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotBuild("the docker command is not installed: apt-get install docker.io") from None


def _line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")
