"""`parameters`, `unchecked`, `linked` and `constraints` → the parameter space."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from tuner_tui.task.constraint import ConstraintError, parse, scope_name
from tuner_tui.task.fields import Field, Section, describe, nearest, note, trap
from tuner_tui.task.model import Configuration, Constraint, Parameter, ParameterSpace, Value
from tuner_tui.task.nodes import Item, Listing, Scalar, plain
from tuner_tui.task.ranges import range_values
from tuner_tui.task.space import MAX_CONFIGURATIONS, size
from tuner_tui.task.variables import is_secret

_FLAG = re.compile(r"[A-Za-z0-9][\w.-]*")
_TRIED = 2000
"""A constraint is tried on at most so many combinations of the values it names, to find text in arithmetic."""


def read_space(top: Section) -> ParameterSpace:
    """The space as far as it can be read; what cannot is noted and left out."""
    seen: dict[str, str] = {}
    parameters: list[Parameter] = []
    for name in top.mapping.entries:
        if name in ("parameters", "unchecked"):
            section = top.section(name, "flags with values, like {mem-fraction-static: [0.7, 0.8]}")
            if section:
                parameters += read_parameters(section, seen, checked=name == "parameters")
    linked = _linked(top, seen)
    space = ParameterSpace(parameters=tuple(parameters), linked=linked)
    total = size(space)
    if total > MAX_CONFIGURATIONS:
        key = "parameters" if "parameters" in top.mapping.entries else "linked"
        top.at_key(key, f"{total:,} configurations are more than {MAX_CONFIGURATIONS:,}; list fewer values")
    return ParameterSpace(parameters=space.parameters, linked=linked, constraints=_constraints(top, space))


def read_parameters(section: Section, seen: dict[str, str], *, checked: bool) -> list[Parameter]:
    """The flags of one section. `seen` maps a flag's own spelling to where it stands, and is added to."""
    found = []
    for name, _, field in section.fields():
        if not _is_new_flag(section, name, seen):
            continue
        values = _values(field)
        if values:
            found.append(Parameter(name=name, values=values, checked=checked))
    return found


def _is_new_flag(section: Section, name: str, seen: dict[str, str]) -> bool:
    if name.startswith("-") and _FLAG.fullmatch(name.lstrip("-")):
        section.at_key(name, f"flags are written without dashes in front: {name.lstrip('-')}")
        return False
    if not _FLAG.fullmatch(name):
        section.at_key(name, f"{name!r} is not a flag's name; expected letters, digits and dashes")
        return False
    spelling = name.replace("_", "-")
    if is_secret(name.replace("-", "_")) and not isinstance(plain(section.mapping.entries[name].item), bool):
        section.at_key(name, "a secret does not belong on a command line; pass it by `env:`, with no value")
        return False
    if spelling in seen:
        section.at_key(name, f"the flag already stands under {seen[spelling]}; keep one of them")
        return False
    seen[spelling] = section.path if section.path.startswith("linked") else f"{section.path} as {name}"
    return True


def _values(field: Field) -> tuple[Value, ...]:
    """Scalar: fixed. List: searched. Mapping: a range. Empty where an error was noted."""
    if field.is_mapping:
        return range_values(field)
    if not field.is_list:
        return tuple(_value(field))
    values: list[Value] = []
    known: set[str] = set()
    complete = True
    for each in field.items("at least one value to try"):
        read = _value(each)
        complete = complete and bool(read)
        for value in read:
            # By repr, since 1, 1.0 and true are different arguments.
            if repr(value) in known:
                each.warn(f"{_shown(each.item)} is listed twice; it is tried once")
            else:
                known.add(repr(value))
                # The n-th value of the space, for those who check it later: doubles are not counted.
                field.reading.places[f"{field.path}[{len(values)}]"] = each.item.place
                values.append(value)
    return tuple(values) if complete else ()


def _shown(item: Item) -> str:
    return str(plain(item)) if isinstance(item, Listing) else (item.text or "null") if isinstance(item, Scalar) else ""


def _value(field: Field) -> list[Value]:
    """One value in a list, or nothing where an error was noted."""
    item = field.item
    if isinstance(item, Listing):
        words = [_scalar(each) for each in field.items("the arguments of one value")]
        if any(each.is_null for each in field.items("arguments", empty=True)):
            field.error("null inside a value of several arguments; leave it out")
            return []
        return [[word for part in words for word in part]] if words and all(words) else []
    return _scalar(field)


def _scalar(field: Field) -> list[Value]:
    item = field.item
    if not isinstance(item, Scalar):
        what = "a list" if isinstance(item, Listing) else "a mapping"
        field.error(f"{what} cannot stand here; expected a number, a text, true, false or null (write JSON in quotes)")
        return []
    if item.broken:
        return []
    if message := trap(item):
        field.error(message)
        return []
    if isinstance(item.value, float) and not abs(item.value) < float("inf"):
        field.error(f"expected a finite number, found {item.text}")
        return []
    if isinstance(item.value, bool) and item.plain and item.text.lower() not in ("true", "false"):
        word = str(item.value).lower()
        field.warn(f"YAML reads {item.text} as {word}; write {word}, or '{item.text}' in quotes for the text")
    return [item.value]


def _linked(top: Section, seen: dict[str, str]) -> tuple[Configuration, ...]:
    field = top.field("linked")
    if field is None:
        return ()
    what = "alternatives, like [{tp-size: 1, dp-size: 2}, {tp-size: 2, dp-size: 1}]"
    own: dict[str, str] = {}
    spelled: dict[str, str] = {}
    found: list[Configuration] = []
    for alternative in field.items(what):
        section = alternative.section("flags with values, like {tp-size: 1, dp-size: 2}")
        if section is None:
            continue
        here = dict(seen)
        configuration: Configuration = {}
        for name, _, value_field in section.fields():
            if not _is_new_flag(section, name, here):
                continue
            first = spelled.setdefault(name.replace("_", "-"), name)
            own[name.replace("_", "-")] = "linked"
            if first != name:
                section.at_key(name, f"is written {first} above; write it the same way")
                continue
            if value_field.is_mapping:
                value_field.error("a range cannot stand in a linked alternative; write one value")
                continue
            for value in _value(value_field):
                configuration[name] = value
        if not section.mapping.entries:
            alternative.error("the alternative is empty; expected flags with values")
        elif configuration in found and repr(configuration) in map(repr, found):
            alternative.warn("the alternative is listed twice; it is tried once")
        elif configuration:
            found.append(configuration)
    seen.update(own)
    # Every configuration has the same keys, so that columns can be compared: null is "the flag is absent".
    return tuple({name: each.get(name) for name in spelled.values()} for each in found)


def _constraints(top: Section, space: ParameterSpace) -> tuple[Constraint, ...]:
    field = top.field("constraints")
    if field is None:
        return ()
    flags: dict[str, Sequence[Any]] = {scope_name(each.name): each.values for each in space.parameters}
    for name in space.linked[0] if space.linked else ():
        flags[scope_name(name)] = [each[name] for each in space.linked]
    good = []
    for each in field.items('expressions, like ["tp_size * dp_size <= gpus"]'):
        if not (isinstance(each.item, Scalar) and isinstance(each.item.value, str)):
            each.error(f'expected an expression in quotes, like "tp_size <= gpus", found {describe(each.item)}')
            continue
        if _is_sound(each, each.item, flags):
            good.append(Constraint(text=each.item.value.strip()))
    return tuple(good)


def _is_sound(field: Field, item: Scalar, flags: dict[str, Sequence[Any]]) -> bool:
    text = str(item.value)
    try:
        condition = parse(text)
        unknown = sorted(name for name in condition.names if name not in flags and name != "gpus")
        if not unknown:
            names = [name for name in sorted(condition.names) if name != "gpus"]
            for values in itertools.islice(itertools.product(*(flags[name] for name in names)), _TRIED):
                condition.holds({"gpus": 8, **dict(zip(names, values, strict=True))})
            return True
    except ConstraintError as error:
        line, column = item.place
        if error.column and "\n" not in item.text:
            blanks = len(text) - len(text.lstrip())
            column += error.column - 1 + blanks + (0 if item.plain else 1)
        note(field.reading, (line, column), field.path, f"the constraint `{text.strip()}` {error}")
        return False
    # `tp-size` is read as tp minus size, and then neither of the two is known.
    dashed = [flag for flag in flags if "_" in flag and flag.replace("_", "-") in text]
    if dashed:
        field.error(f"a constraint writes flags with underscores: {', '.join(dashed)}")
        return False
    for name in unknown:
        near = nearest(name, [*flags, "gpus"])
        hint = f"did you mean {near}?" if near else f"the task has {', '.join([*flags, 'gpus'])}"
        field.error(f"no parameter is called {name}; {hint}")
    return False
