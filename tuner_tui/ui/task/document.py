"""The text that is edited, the file it came from, and getting it back there."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from tuner_tui.task.paths import is_folder, is_there, resolved, with_home
from tuner_tui.task.samples import in_samples

_MAX_BYTES = 1 << 18

Stamp = tuple[int, int]
"""Time of the last change in nanoseconds, and size."""


class CannotOpen(Exception):
    """The file cannot be edited; the message is a sentence with its path."""


@dataclass(frozen=True)
class Document:
    """`text` as it is now; `saved` as the file had it when it was last read or written. Line breaks are the file's.
    `stamp` is None where there is no file yet."""

    path: Path
    text: str
    saved: str
    stamp: Stamp | None
    bom: bool = False

    @property
    def changed(self) -> bool:
        return self.text != self.saved

    @property
    def is_sample(self) -> bool:
        """Samples come with the program and are never written over."""
        return in_samples(self.path)

    @property
    def is_new(self) -> bool:
        """No file has been read or written yet."""
        return self.stamp is None

    @property
    def refusal(self) -> str:
        """Why the text cannot go to the file at `path`; "" where it can."""
        if self.is_sample:
            return "samples stay as they are"
        folder = resolved(self.path).parent
        if not is_folder(folder):
            return f"the folder {folder} is not there"
        return "" if os.access(folder, os.W_OK) else f"nothing can be written to {folder}"

    @property
    def read_only(self) -> bool:
        """The file says by its permissions that it should stay as it is, though it could be replaced."""
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return False
        return not mode & 0o222 or not os.access(self.path, os.W_OK)

    def with_text(self, text: str) -> Document:
        return replace(self, text=text)


def open_document(path: Path) -> Document:
    """Raises CannotOpen."""
    path = with_home(path).absolute()
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise CannotOpen(f"{path} is a folder; expected a task file") from None
    except FileNotFoundError:
        raise CannotOpen(f"{path} is not there") from None
    except OSError as error:
        raise CannotOpen(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise CannotOpen(f"{path} is larger than 256 KiB; expected a task file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotOpen(f"{path} is not UTF-8 text; save it as UTF-8") from None
    return Document(path=path, text=text, saved=text, stamp=stamp_of(path), bom=data.startswith(b"\xef\xbb\xbf"))


def new_document(path: Path, text: str, *, saved: str = "") -> Document:
    """A text that has no file yet, to be kept at `path`; nothing would be lost with it as long as it is `saved`."""
    return Document(path=with_home(path).absolute(), text=text, saved=saved, stamp=None)


def save(document: Document, path: Path) -> Document:
    """The document as it is once its text is in the file at `path`, by writing beside it and renaming.
    Raises OSError."""
    write(path, document.text, bom=document.bom)
    return replace(document, path=path, saved=document.text, stamp=stamp_of(path))


def write(path: Path, text: str, *, bom: bool = False) -> None:
    """Whole or not at all; a link stays one, and the file keeps its permissions and, where we may give it, its owner.
    Raises OSError."""
    real = resolved(path)
    temporary = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        temporary.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode())
        if real.exists():
            before = real.stat()
            with contextlib.suppress(PermissionError):
                os.chown(temporary, before.st_uid, before.st_gid)
            temporary.chmod(before.st_mode & 0o7777)
        temporary.replace(real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def stamp_of(path: Path) -> Stamp | None:
    """None where the file is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def free_name(folder: Path, stem: str, suffix: str = ".yaml") -> Path:
    """`folder/stem.yaml`, or with the first number that is not taken."""
    number, path = 1, folder / f"{stem}{suffix}"
    while is_there(path):
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path
