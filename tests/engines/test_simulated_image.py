"""The simulated engine's image: made without a registry, once, and of what it needs only."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.engines.simulated_image import write_tar
from tests.engines.simulated_image_contents import PACKAGES, CannotBuild, Contents, bytecode, collect, packages

SCRIPT = Path(__file__).with_name("simulated-image")
TAG = f"tuner-tui-test:simulated-{os.getpid()}"


def build(*arguments: str, python: tuple[str, ...] = (sys.executable,)) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*python, SCRIPT, TAG, *arguments], capture_output=True, text=True)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def tag() -> Iterator[str]:
    yield TAG
    subprocess.run(["docker", "image", "rm", "-f", TAG], capture_output=True)


@pytest.fixture
def small(tmp_path: Path) -> Contents:
    """One module, one program, one link."""
    module, program = tmp_path / "m.py", tmp_path / "program"
    module.write_text("answer = 42\n")
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    return Contents(
        files={"/opt/program": program, f"{PACKAGES}/m.py": module},
        texts={"/etc/passwd": b"root:x:0:0::/root:/bin/sh\n"},
        links={"/usr/bin/python3": "/opt/program"},
        library_path=(),
    )


def tar_of(contents: Contents) -> bytes:
    stream = io.BytesIO()
    write_tar(stream, contents)
    return stream.getvalue()


@pytest.mark.docker
def test_it_is_built_once_and_runs(tag: str) -> None:
    built = build()
    assert f"{tag}: built in " in built.stdout, built.stderr
    first = docker("image", "inspect", "--format", "{{.Id}}", tag)
    assert f"{tag}: up to date, " in build().stdout
    assert docker("image", "inspect", "--format", "{{.Id}}", tag) == first

    anyone = ("run", "--rm", "--user", "65534", "--read-only", tag)
    asked = "import aiohttp.web, asyncio, ssl; print(aiohttp.__cached__)"
    cached = f"{PACKAGES}/aiohttp/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    assert docker(*anyone, "python3", "-c", asked) == cached
    assert docker(*anyone, "/bin/sh", "-c", "cd /tmp && echo $PYTHONPATH") == PACKAGES
    assert "--simulate-start-s" in docker(*anyone, "python3", "-m", "tuner_tui.engines.simulated", "--help")

    # What had the tag before is not left lying about without one.
    assert "built in" in build("--force").stdout
    second = docker("image", "inspect", "--format", "{{.Id}}", tag)
    assert second != first
    assert first not in docker("image", "ls", "-a", "-q", "--no-trunc").split()


@pytest.mark.docker
def test_a_name_that_is_none_is_refused_in_one_sentence() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "Not/A/Name"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("simulated-image: docker does not take Not/A/Name as an image's name: ")
    assert done.stderr.count("\n") == 1


def test_without_an_engine_it_says_so_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody.sock")
    done = build()
    assert done.returncode == 1
    assert done.stderr.startswith("simulated-image: no Docker Engine answers: sudo systemctl start docker")
    assert done.stderr.count("\n") == 1


def test_without_docker_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = build()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "simulated-image: the docker command is not installed: apt-get install docker.io\n"


@pytest.mark.docker
def test_without_aiohttp_it_says_so() -> None:
    done = build(python=(sys.executable, "-I", "-S"))
    assert done.returncode == 1
    assert done.stderr.startswith("simulated-image: aiohttp is not installed beside ")
    assert done.stderr.count("\n") == 1


def test_it_holds_what_it_needs_and_nothing_else() -> None:
    contents = collect()
    inside = {name.removeprefix(f"{PACKAGES}/").split("/")[0] for name in contents.files if name.startswith(PACKAGES)}
    assert {"aiohttp", "yarl", "multidict", "frozenlist", "idna", "attr", "tuner_tui"} <= inside
    assert not {"docker", "textual", "msgspec", "pytest", "pip", "__pycache__"} & inside
    own = {name for name in contents.files if name.startswith(f"{PACKAGES}/tuner_tui/")}
    assert f"{PACKAGES}/tuner_tui/engines/simulated/__main__.py" in own
    assert all("/simulated/" in name or name.endswith("/__init__.py") for name in own)
    assert any("/libc.so" in name or "/ld-musl" in name for name in contents.files)
    assert not [name for name in contents.files if "libX11" in name or "/site-packages/" in name or "/test/" in name]


def test_the_tar_is_the_same_whenever_it_is_made(small: Contents) -> None:
    first = tar_of(small)
    for path in small.files.values():
        os.utime(path, (time.time() + 99, time.time() + 99))
    assert hashlib.sha256(tar_of(small)).digest() == hashlib.sha256(first).digest()

    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        entries = {entry.name: entry for entry in tar}
    assert list(entries) == sorted(entries)
    assert {(entry.mtime, entry.uid, entry.gid) for entry in entries.values()} == {(0, 0, 0)}
    assert entries["opt/program"].mode == 0o755
    assert entries["opt/tuner-tui"].isdir() and entries["opt/tuner-tui"].mode == 0o755
    assert entries["tmp"].mode == 0o1777
    assert entries["usr/bin/python3"].linkname == "/opt/program"


def test_the_digest_is_of_the_contents(small: Contents) -> None:
    before = small.digest()
    os.utime(small.files[f"{PACKAGES}/m.py"], (1, 1))
    assert small.digest() == before
    small.files[f"{PACKAGES}/m.py"].write_text("answer = 43\n")
    assert small.digest() != before


def test_bytecode_is_loaded_without_a_look_at_the_source(tmp_path: Path) -> None:
    source = tmp_path / "told.py"
    source.write_text("said = 'from bytecode'\n")
    made = bytecode(f"{PACKAGES}/told.py", source)
    assert made is not None and made[0] == f"{PACKAGES}/__pycache__/told.{sys.implementation.cache_tag}.pyc"
    folder = tmp_path / "image"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "told.py").write_text("said = 'from source'\n")
    (folder / "__pycache__" / Path(made[0]).name).write_bytes(made[1])
    told = [sys.executable, "-c", "import told; print(told.said)"]
    done = subprocess.run(told, cwd=folder, capture_output=True, text=True)
    assert done.stdout == "from bytecode\n"


def test_bytecode_that_no_longer_fits_is_not_taken(tmp_path: Path) -> None:
    source = tmp_path / "told.py"
    source.write_text("said = 'old'\n")
    told = [sys.executable, "-c", "import told"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(told, cwd=tmp_path, check=True, env=environment)
    taken = bytecode("/usr/lib/told.py", source)
    assert taken is not None and b"old" in taken[1]
    source.write_text("said = 'newer'\n")
    assert bytecode("/usr/lib/told.py", source) is None
    fresh = bytecode(f"{PACKAGES}/told.py", source)
    assert fresh is not None and b"newer" in fresh[1]


class Installed(SimpleNamespace):
    """A distribution as importlib.metadata shows it."""

    def locate_file(self, path: object) -> Path:
        return Path(self.site) / str(path)

    def read_text(self, name: str) -> str | None:
        return self.texts.get(name)  # type: ignore[no-any-return]


def test_packages_without_a_list_of_files_and_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Debian installs Python's packages; and requirements for others, for extras, and missing ones."""
    for file in ("one/__init__.py", "one/deep/a.py", "two.py", "other.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    requires = ["Two.x[fast]>=1", 'absent; python_version < "3"', 'extra; extra == "speedups"']
    one = Installed(name="one", site=tmp_path, files=None, texts={"top_level.txt": "one\n"}, requires=requires)
    two = Installed(name="two-x", site=tmp_path, files=[Path("two.py"), Path("../../bin/two")], texts={}, requires=None)
    known = {"one": one, "two-x": two, "extra": one}

    def distribution(name: str) -> Installed:
        if name in known:
            return known[name]
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    assert sorted(name for name, _ in packages("one")) == ["one/__init__.py", "one/deep/a.py", "two.py"]
    del known["two-x"]
    with pytest.raises(
        CannotBuild, match=r"^two-x, which one needs, is not installed beside .*: run make docker-images"
    ):
        list(packages("one"))
