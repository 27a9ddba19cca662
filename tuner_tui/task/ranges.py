"""`{from, to, step}` and `{from, to, times}` → the values they stand for."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tuner_tui.task.fields import Field, Section, nearest, trap
from tuner_tui.task.model import Value
from tuner_tui.task.nodes import Scalar

MAX_VALUES = 1000
_KEYS = ("from", "to", "step", "times")


def range_values(field: Field) -> tuple[Value, ...]:
    """The values of a range, both ends included where they are hit; empty where an error was noted."""
    section = field.section()
    if section is None:
        return ()
    if not any(nearest(name, _KEYS) for name in section.mapping.entries):
        field.error("a mapping here is a range: expected {from: 1, to: 8, step: 1} or {from: 1, to: 8, times: 2}")
        return ()
    before = len(field.reading.problems)
    meant = section.check_names(_KEYS, {})
    for name in ("from", "to"):
        if name not in meant:
            section.missing(name, "a number")
    if len(field.reading.problems) > before:
        return ()
    numbers = {name: _number(section, name) for name in section.mapping.entries}
    if any(number is None for number in numbers.values()):
        return ()
    ways = [name for name in ("step", "times") if name in numbers]
    if len(ways) != 1:
        field.error("a range takes either step or times" + ("" if ways else "; neither is given"))
        return ()
    given = {name: number for name, number in numbers.items() if number is not None}
    exact = {name: Fraction(Decimal(str(number))) for name, number in given.items()}
    values = _walk(field, exact["from"], exact["to"], ways[0], exact[ways[0]])
    # Halving whole numbers gives whole ones, as long as it does.
    whole = all(isinstance(given[name], int) for name in ("from", "to"))
    whole = whole and all(value.denominator == 1 for value in values)
    return tuple(int(value) if whole else float(value) for value in values)


def _walk(field: Field, start: Fraction, end: Fraction, way: str, by: Fraction) -> list[Fraction]:
    """Exact, so that 0.1 in three steps is 0.3 and the end is met where it should be."""
    following = start + by if way == "step" else start * by
    if (way == "times" and by <= 0) or following == start or (end - start) * (following - start) < 0:
        field.error(f"{way}: {_shown(by)} never leads from {_shown(start)} to {_shown(end)}")
        return []
    up = following > start
    values = [start]
    while following <= end if up else following >= end:
        values.append(following)
        if len(values) > MAX_VALUES:
            field.error(f"the range has more than {MAX_VALUES:,} values; take a larger {way}")
            return []
        following = following + by if way == "step" else following * by
    return values


def _number(section: Section, name: str) -> int | float | None:
    field = section.field(name)
    if field is None:
        section.missing(name, "a number")
        return None
    item = field.item
    if isinstance(item, Scalar) and isinstance(item.value, int | float) and not isinstance(item.value, bool):
        if message := trap(item):
            field.error(message)
            return None
        if abs(item.value) < float("inf"):
            return item.value
    field.expected("a number")
    return None


def _shown(value: Fraction) -> str:
    return str(int(value)) if value.denominator == 1 else str(float(value))
