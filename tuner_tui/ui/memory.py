"""What the screen remembers from one start to the next: nothing that matters, and it is never an error."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

_RECENT = 5


class Remembered(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The last theme, task and tabs."""

    theme: str = ""
    task: str = ""
    recent: list[str] = []
    """Paths of tasks, the last one first."""
    tabs: dict[str, str] = {}
    """Where in the screen → which tab or choice was open there last (`run.panel` → `engine`)."""
    seen: bool = False
    """The first start has explained itself."""

    def opened(self, task: Path) -> None:
        """`task` is the last one now."""
        self.task = str(task)
        self.recent = [self.task, *(each for each in self.recent if each != self.task)][:_RECENT]


def memory_file() -> Path:
    """`~/.local/state/tuner-tui/screen.json` or the platform's equivalent."""
    import platformdirs

    return Path(platformdirs.user_state_dir("tuner-tui")) / "screen.json"


def recall(path: Path) -> Remembered:
    """What was kept; nothing where it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return Remembered()


def keep(path: Path, remembered: Remembered) -> None:
    """For the next start."""
    write_quietly(path, msgspec.json.format(msgspec.json.encode(remembered), indent=2))


def write_quietly(path: Path, data: bytes) -> None:
    """To a temporary file that is renamed, so that two screens never leave half of one; where that cannot be, not."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(data)
        temporary.replace(path)
