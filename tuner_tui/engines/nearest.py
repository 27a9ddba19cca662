"""The flag that a mistyped one was probably meant to be."""

from __future__ import annotations

import difflib

from tuner_tui.engines.catalogue import Catalogue


def nearest(name: str, known: Catalogue) -> str | None:
    """A name close to `name`, else the shortest that begins with it; None where nothing is near. What begins with
    `no-` is near to what does, for without it it would be the opposite."""
    if name.startswith("no-"):
        near = nearest(name.removeprefix("no-"), known)
        return f"no-{near}" if near and known.find(f"no-{near}") else None
    names = [each for each, flag in known.by_name.items() if not flag.refused]
    if close := difflib.get_close_matches(name, names, n=1, cutoff=0.7):
        return close[0]
    longer = sorted((each for each in names if each.startswith(name)), key=len)
    return longer[0] if longer and len(name) > 2 else None
