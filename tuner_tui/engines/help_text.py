"""What an engine's own `--help` says: flags and their texts."""

from __future__ import annotations

import re

_OPTION = re.compile(r"^ {1,4}(?=-)(?P<names>(?:-{1,2}[\w.-]+(?:[ =][^,\n]*?)?(?:, |(?= {2,}|$)))+)(?P<text>.*)$")
_NAME = re.compile(r"--([a-z](?:[\w-]*\w)?)(?![\w-])")


def flags_in_help(text: str) -> dict[str, str]:
    """Flag (no dashes in front, in the order of the text) → its help on one line, from argparse's layout.

    Every long name of an option leads to the same help. Never raises.
    """
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if re.match(r" {1,4}-", line):
            option = _OPTION.match(line)
            names = _NAME.findall(option["names"] if option else line)
            current = [option["text"].strip()] if option else []
            for name in names:
                found.setdefault(name, current)
        elif line.startswith("     ") and line.strip():
            current.append(line.strip())
        elif line.strip():
            current = []
    return {name: " ".join(part for part in parts if part) for name, parts in found.items()}
