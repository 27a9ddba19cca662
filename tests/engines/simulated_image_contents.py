"""What goes into the simulated engine's image: this machine's Python, its libraries, a shell, aiohttp, the engine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import marshal
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = "/opt/tuner-tui"
"""Where aiohttp and the engine lie in the image; on PYTHONPATH."""

_LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip"}
_LEFT_OUT |= {"lib2to3", "pydoc_data", "__pycache__"}
# Tk alone would bring some fifteen libraries of the X Window System.
_LEFT_OUT_MODULE = re.compile(r"(_tkinter|_test\w*|_ctypes_test|_xxtestfuzz|xxlimited\w*)\.")
_FOUND_BY_THE_LOADER = re.compile(r"(/usr)?/lib(64)?(/[^/]*-linux-[^/]*)?")
_LIBRARY = re.compile(r"(?:=> |^\s*)(/\S+) \(0x", re.MULTILINE)
# glibc opens these by name, so `ldd` never tells; those that are not there are built into libc.
_OPENED_BY_LIBC = ("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
_UNCHECKED_HASH = (1).to_bytes(4, "little")


class CannotBuild(Exception):
    """One sentence with the remedy."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """`files`: absolute path in the image → file on this machine. `texts`, `links`: path → content, target.

    `library_path`: folders of libraries that the loader would not search by itself.
    """

    files: dict[str, Path]
    texts: dict[str, bytes]
    links: dict[str, str]
    library_path: tuple[str, ...]

    def digest(self) -> str:
        """SHA-256, in hexadecimal, over every path and content. Bytecode is made of these, so it does not count."""
        whole = hashlib.sha256(repr((self.texts, self.links, self.library_path)).encode())
        for name, path in self.files.items():
            content = path.read_bytes()
            whole.update(f"{name}\0{executable(path)}\0{len(content)}\0".encode())
            whole.update(content)
        return whole.hexdigest()


def executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)


def collect() -> Contents:
    """Raises CannotBuild."""
    if sys.platform != "linux":
        raise CannotBuild("the image is made from a Linux machine's own Python: elsewhere, docker build -t TAG .")
    interpreter = Path(sys.executable).resolve()
    files = {str(interpreter): interpreter, "/bin/sh": Path("/bin/sh").resolve()}
    files |= {str(path): path for path in _walk(Path(os.__file__).parent)}
    files |= {f"{PACKAGES}/{name}": path for name, path in packages("aiohttp")}
    engines = REPOSITORY / "tuner_tui" / "engines"
    for path in (REPOSITORY / "tuner_tui/__init__.py", engines / "__init__.py", *engines.glob("simulated/*.py")):
        files[f"{PACKAGES}/{path.relative_to(REPOSITORY)}"] = path
    libraries = _libraries([interpreter, files["/bin/sh"], *(path for path in files.values() if ".so" in path.name)])
    files |= {str(library): library for library in libraries}
    links = {"/usr/bin/python3", f"/usr/bin/{_version()}"} - files.keys()
    return Contents(
        files=dict(sorted(files.items())),
        texts={
            "/etc/group": b"root:x:0:\nnogroup:x:65534:\n",
            "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n",
        },
        links=dict.fromkeys(sorted(links), str(interpreter)),
        library_path=tuple(
            sorted({str(path.parent) for path in libraries if not _FOUND_BY_THE_LOADER.fullmatch(str(path.parent))})
        ),
    )


def packages(name: str) -> Iterator[tuple[str, Path]]:
    """The files of distribution `name` and of everything it needs: (path below site-packages, file).

    Raises CannotBuild if one is not installed.
    """
    waiting, seen = [(name, "")], set()
    while waiting:
        name, of = waiting.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            needed = f", which {of} needs," if of else ""
            raise CannotBuild(
                f"{name}{needed} is not installed beside {sys.executable}: run make docker-images, "
                "or pip install aiohttp"
            ) from None
        for requirement in distribution.requires or []:
            wanted, _, marker = requirement.partition(";")
            required = re.split(r"[ <>=!~\[(]", wanted.strip())[0]
            # A marker (another version, another system, an extra) is met here if what it asks for is installed.
            if not marker or ("extra" not in marker and _installed(required)):
                waiting.append((required, name))
        yield from _files_of(distribution)


def _installed(name: str) -> bool:
    return any(True for _ in importlib.metadata.distributions(name=name))


def _files_of(distribution: Distribution) -> Iterator[tuple[str, Path]]:
    site = Path(str(distribution.locate_file("")))
    if distribution.files:
        listed = [Path(str(file)) for file in distribution.files]
    else:  # as some Linux distributions install: no list of files, only the names of the modules
        modules = (distribution.read_text("top_level.txt") or "").split()
        found = [path for module in modules for path in (site / module, site / f"{module}.py") if path.exists()]
        listed = [each.relative_to(site) for path in found for each in ([path] if path.is_file() else _walk(path))]
    if not listed:
        raise CannotBuild(f"the files of {distribution.name} are not known: install it with pip")
    for file in listed:
        if file.suffix != ".pyc" and ".." not in file.parts and (site / file).is_file():
            yield str(file), site / file


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _LEFT_OUT or path.name.startswith("config-") or _LEFT_OUT_MODULE.match(path.name):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file() and path.suffix not in (".pyc", ".a"):
            yield path


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    """Every shared library that `ldd` names for them, the loader included, and what libc opens by itself."""
    try:
        listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise CannotBuild("the command ldd is not installed: apt-get install libc-bin") from None
    found = {Path(path) for path in _LIBRARY.findall(listed)}
    for folder in {path.parent for path in found if path.name.startswith("libc.")}:
        found |= {folder / name for name in _OPENED_BY_LIBC if (folder / name).exists()}
    return found


def bytecode(name: str, path: Path) -> tuple[str, bytes] | None:
    """Where the bytecode of module `name` lies in the image, and the bytecode; None if there is none to have.

    Without it every container would spend a second on compiling. It is marked as never to be checked against its
    source (PEP 552), as all times in the image are zero. What this machine has compiled before is taken; the rest is
    compiled now, but for the standard library, which would take many seconds.
    """
    if path.suffix != ".py":
        return None
    source = path.read_bytes()
    code = _compiled_before(path)
    if code is None:
        if not name.startswith(PACKAGES):
            return None
        code = marshal.dumps(compile(source, name, "exec", dont_inherit=True, optimize=0))
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
    folder, _, file = name.rpartition("/")
    return f"{folder}/__pycache__/{file.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc", header + code


def _compiled_before(path: Path) -> bytes | None:
    """The code of a .pyc that fits its source by time and size. Format: PEP 552."""
    try:
        found = Path(importlib.util.cache_from_source(str(path), optimization="")).read_bytes()
    except OSError:
        return None
    stat = path.stat()
    fits = importlib.util.MAGIC_NUMBER + b"".join(
        (number & 0xFFFFFFFF).to_bytes(4, "little") for number in (0, int(stat.st_mtime), stat.st_size)
    )
    return found[16:] if found[:16] == fits else None


def _version() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
