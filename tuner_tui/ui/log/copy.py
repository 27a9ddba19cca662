"""Taking text out of the log: into a file always, to the terminal's clipboard where it will take it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_cache_path

CLIPBOARD_BYTES = 64 << 10
"""More is not offered to the clipboard: terminals drop or truncate long sequences."""


def clipboard_sequence(text: str, *, in_tmux: bool) -> str:
    """OSC 52, which asks the terminal to put `text` into its clipboard. Inside tmux once more, wrapped so that tmux
    passes it on (`allow-passthrough on`): tmux itself takes the bare one only with `set-clipboard on`. Whether either
    is heeded cannot be known."""
    bare = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    return bare + ("\x1bPtmux;" + bare.replace("\x1b", "\x1b\x1b") + "\x1b\\" if in_tmux else "")


def in_tmux() -> bool:
    return bool(os.environ.get("TMUX"))


def write_lines(log: Path, name: str, lines: Iterable[str]) -> tuple[Path, int]:
    """Writes `lines` beside `log`, or into the cache folder where that cannot be written; says where, and how many.
    What was there under that name is replaced. Blocks; raises OSError."""
    folder = log.absolute().parent
    if not os.access(folder, os.W_OK):
        folder = user_cache_path("tuner-tui", ensure_exists=True)
    path = folder / f"{log.stem}-{name}.txt"
    part = path.with_name(path.name + ".part")
    count = 0
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            for line in lines:
                file.write(line + "\n")
                count += 1
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path, count
