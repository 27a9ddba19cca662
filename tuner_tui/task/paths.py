"""Paths as people write them. None of these raises, whoever may look where and however long a name is; pathlib does."""

from __future__ import annotations

import os
from pathlib import Path


def with_home(path: Path | str) -> Path:
    """`~` and `~user` filled in; with a user whom this machine does not know it stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def is_file(path: Path) -> bool:
    """Whether it is one, as far as one may look."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether it is one, as far as one may look."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: Path) -> bool:
    """Whether something is there, as far as one may look."""
    return os.path.exists(path)  # noqa: PTH110


def resolved(path: Path) -> Path:
    """Links followed; those that lead back to themselves stay as they are."""
    return Path(os.path.realpath(path))


def working_folder() -> Path:
    """Where the program was started; the home folder where that is there no more."""
    try:
        return Path.cwd()
    except OSError:
        return with_home("~")
