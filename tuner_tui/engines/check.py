"""Checks a task's flags against the catalogue of its engine."""

from __future__ import annotations

import re

from tuner_tui.engines.catalogue import Catalogue, Flag, catalogue, plain
from tuner_tui.engines.check_value import value_problem
from tuner_tui.engines.equivalents import counterpart
from tuner_tui.engines.nearest import nearest
from tuner_tui.engines.registry import ENGINES
from tuner_tui.task.problem import Problem
from tuner_tui.task.reading import Reading

_VERSIONED = re.compile(
    r"(?:^|/)(?:sglang|vllm|vllm-(?:openai|cpu)[\w-]*):v?(\d+\.\d+\.\d+)(?![^@]*(?:nightly|dev))", re.ASCII
)
"""The names under which the engines' own projects publish."""


def check(reading: Reading) -> list[Problem]:
    """Every problem with the flags of `reading.space`; empty where the engine or the space was not read.

    Flags under `unchecked:` are only refused where the tuner sets them itself.
    """
    if reading.engine not in ENGINES or reading.space is None:
        return []
    known = catalogue(ENGINES[reading.engine].catalogue)
    image_version = _image_version(reading)
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    dated: set[str] = set()

    def at(key: str, message: str | None, *, warning: bool = False) -> bool:
        if message is not None:
            problems.append(reading.problem(key, message, warning=warning))
        return message is not None

    def name_is_fine(key: str, name: str, seen: dict[str, str], *, checked: bool) -> Flag | None:
        flag = known.find(name)
        canonical = flag.name if flag else plain(name)
        first = seen.setdefault(canonical, name)
        if plain(first) != plain(name):
            at(key, f"`{name}` and `{first}` are the same flag; keep one of them")
        if flag is not None and flag.refused:
            at(key, f"`{plain(name)}` cannot be set here: {flag.refused}")
            return None
        if flag is None and checked:
            message, warning = _unknown(plain(name), known, image_version)
            at(key, message, warning=warning)
        if flag is not None and checked and flag.name not in dated:
            dated.add(flag.name)
            at(key, _not_yet(flag, known, image_version), warning=True)
        return flag if checked else None

    for parameter in reading.space.parameters:
        section = "parameters" if parameter.checked else "unchecked"
        key = f"{section}.{parameter.name}"
        flag = name_is_fine(key, parameter.name, seen, checked=parameter.checked)
        if flag is None:
            continue
        for index, value in enumerate(parameter.values):
            value_key = f"{key}[{index}]"
            has_place = value_key in reading.places
            if at(value_key if has_place else key, value_problem(flag, value)) and not has_place:
                break  # a range: one sentence for all of its values
    for index, alternative in enumerate(reading.space.linked):
        together = dict(seen)
        for name, value in alternative.items():
            key = f"linked[{index}].{name}"
            flag = name_is_fine(key, name, together, checked=True)
            if flag is not None:
                at(key, value_problem(flag, value))
    return problems


def _unknown(name: str, known: Catalogue, image_version: tuple[int, ...] | None) -> tuple[str | None, bool]:
    """What to say of a flag the catalogue does not have, and whether it is only a warning."""
    if gone := known.gone.get(name):
        instead = f"; use `{gone.use}`" if gone.use else ""
        if image_version is not None and image_version <= _version(gone.until):
            return None, False
        if image_version is not None and image_version >= _version(known.version):
            return f"{known.title} {known.version} no longer has `{name}`{instead}", False
        older = f"{known.title} has `{name}` only up to about version {gone.until}"
        return f"{older}; for a newer one use `{gone.use}`" if gone.use else older, True
    others = [catalogue(ENGINES[other].catalogue) for other in ("sglang", "vllm")]
    for other in others:
        # The simulated engine's catalogue is a part of SGLang's.
        full = other.full_name(name)
        if full is None or other.engine == known.engine:
            continue
        if known.engine == "simulated":
            why = f"this is a flag of {other.title}, and the simulated engine does not take it"
            there = counterpart(full, to="sglang") if other.engine == "vllm" else None
            return f"{why}; it knows {there.words('`')}" if there and known.find(there.name) else why, False
        there = counterpart(full, to=known.engine)
        if there is None:
            tail = f"{known.title} has no such flag"
        else:
            tail = (
                f"{known.title} has {there.words('`')}" if there.differs else f"{known.title}'s name is `{there.name}`"
            )
        return f"this is a {other.title} flag: `{full}`; {tail}", False
    near = nearest(name, known)
    hint = f"; did you mean `{near}`?" if near else ""
    escape = " A flag that is newer than this catalogue goes under `unchecked:`"
    return f"{known.title} ({known.version}) has no flag `{name}`{hint or '.'}{escape}", False


def _not_yet(flag: Flag, known: Catalogue, image_version: tuple[int, ...] | None) -> str | None:
    """What to say of a flag that is younger than the image."""
    if not flag.since or image_version is None or image_version >= _version(flag.since):
        return None
    older = [f"`{name}`" for name, until in known.formerly(flag).items() if image_version <= _version(until)]
    before = " or ".join(older) or flag.before
    shown = ".".join(map(str, image_version))
    return f"{known.title} has `{flag.name}` since about version {flag.since}, and the image is of {shown}" + (
        f"; there use {before}" if before else ""
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _image_version(reading: Reading) -> tuple[int, ...] | None:
    """The engine's version as the image's tag tells it; None for a process and for other tags: what was built at night
    is newer than the version it names, and an image of another name counts versions of its own."""
    task = reading.task
    if task is None or task.backend != "docker" or ENGINES[task.engine].simulated:
        return None
    image = task.image or ENGINES[task.engine].default_image
    found = _VERSIONED.search(image)
    return _version(found[1]) if found else None
