"""Theme files as they are written; and as they were read at an earlier start."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from tuner_tui.ui.memory import write_quietly


class ThemeFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A theme as its file has it. What `figures` and `variables` leave out is the dark theme's."""

    title: str
    colors: dict[str, str]
    figures: dict[str, str] = {}
    variables: dict[str, str] = {}
    """Textual's own CSS variables, such as footer-key-foreground."""
    dark: bool = True
    ansi: bool = False


class BadTheme(Exception):
    """A theme's file cannot be used; the message names file, key and remedy."""


class _Kept(msgspec.Struct, frozen=True):
    changed_ns: int
    size_bytes: int
    file: ThemeFile


class ThemeFiles:
    """Reads theme files. Those that have not changed since an earlier start come from `kept`: what reads YAML takes a
    fifteenth of the time to the first paint."""

    def __init__(self, kept: Path | None = None) -> None:
        """`kept`: where they are kept, nowhere where None. It is never an error."""
        self._path = kept
        self._kept: dict[str, _Kept] = {}
        self._news = False
        if kept is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError):
                self._kept = msgspec.json.decode(kept.read_bytes(), type=dict[str, _Kept])

    def read(self, path: Path) -> ThemeFile:
        """Raises BadTheme."""
        try:
            there = path.stat()
        except OSError as error:
            raise BadTheme(f"{path}: cannot be read: {error}") from error
        known = self._kept.get(str(path))
        if known is not None and (known.changed_ns, known.size_bytes) == (there.st_mtime_ns, there.st_size):
            return known.file
        file = _read(path)
        self._kept[str(path)] = _Kept(there.st_mtime_ns, there.st_size, file)
        self._news = True
        return file

    def keep(self) -> None:
        """For the next start; where nothing is new, nothing is written."""
        if self._path is None or not self._news:
            return
        self._news = False
        write_quietly(self._path, msgspec.json.encode(self._kept))


def _read(path: Path) -> ThemeFile:
    import yaml  # only here: see ThemeFiles

    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError) as error:
        raise BadTheme(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        line = error.problem_mark.line + 1 if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else 1
        raise BadTheme(f"{path}:{line}: not YAML") from error
    try:
        return msgspec.convert(raw, ThemeFile)
    except msgspec.ValidationError as error:
        raise BadTheme(f"{path}: {error}") from error
