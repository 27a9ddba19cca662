"""The same figures from the log and from the engine's own answers: which to believe."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tuner_tui.engines.facts import Memory
from tuner_tui.engines.probes import Answer, Source

_SAME_GIB = 0.011
"""Logs print hundredths."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that log and answer disagree about."""

    field: str
    log: float
    answer: float
    source: Source


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """`memory` as it is to be believed, `sources` field → who said it, `differences` where the log says otherwise."""

    memory: Memory
    sources: dict[str, Source]
    differences: tuple[Difference, ...]


def cross_check(log: Memory, answers: Sequence[Answer]) -> Checked:
    """The engine's answers before the log, earlier answers before later ones.

    A KV cache that the log knows to be larger stays: SGLang's answer leaves out the state of hybrid models.
    """
    figures: dict[str, float | int | None] = {}
    sources: dict[str, Source] = {}
    differences: list[Difference] = []
    for field in Memory.__struct_fields__:
        printed = getattr(log, field)
        figures[field] = printed
        if printed is not None:
            sources[field] = "log"
        told = [(value, each.source) for each in answers if (value := getattr(each.memory, field)) is not None]
        if not told:
            continue
        value, source = told[0]
        if printed is not None and abs(value - printed) > (_SAME_GIB if field.endswith("_gib") else 0):
            differences.append(Difference(field=field, log=printed, answer=value, source=source))
            if field == "kv_cache_gib" and value < printed:
                continue
        figures[field], sources[field] = value, source
    return Checked(memory=msgspec.convert(figures, Memory), sources=sources, differences=tuple(differences))
