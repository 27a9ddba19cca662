"""Typed access to a key's value: what is wrong is noted on the reading, at the value's own place."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from tuner_tui.task import units
from tuner_tui.task.nodes import Entry, Item, Listing, Scalar
from tuner_tui.task.nodes import Mapping as MappingItem
from tuner_tui.task.reading import Place, Reading

_T = TypeVar("_T")

NOT_YET = "is read, but not carried out yet in this version"


def note(reading: Reading, place: Place, key: str, message: str, *, warning: bool = False) -> None:
    """Adds a problem at an exact place; (0, 0) is the file as a whole."""
    line, column = place
    quoted = reading.lines[line - 1] if 0 < line <= len(reading.lines) else ""
    problem = reading.problem(key, message, warning=warning)
    reading.problems.append(msgspec.structs.replace(problem, line=line, column=column, quoted=quoted))


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid name that was probably meant, or None."""
    names = {name.replace("-", "_").casefold(): name for name in valid}
    found = difflib.get_close_matches(word.replace("-", "_").casefold(), names, n=1, cutoff=0.6)
    return names[found[0]] if found else None


def listed(names: Sequence[str]) -> str:
    """`a, b or c`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def describe(item: Item) -> str:
    """What stands there, for the end of "expected …, found …"."""
    if isinstance(item, Listing):
        return "a list" if item.items else "an empty list"
    if isinstance(item, MappingItem):
        return "a mapping"
    if item.value is None:
        return "nothing"
    if isinstance(item.value, bool):
        return item.text
    short = item.text if len(item.text) <= 60 else item.text[:59] + "…"
    return f"the text {short!r}" if isinstance(item.value, str) else f"the number {short}"


def trap(item: Scalar) -> str | None:
    """Why a number is not what it looks like: YAML 1.1's octals and base-60 numbers. None: it is."""
    if not item.plain or isinstance(item.value, bool) or not isinstance(item.value, int | float):
        return None
    if ":" in item.text:
        return f"YAML reads {item.text} as a number in base 60 ({item.value}); write that number, or quote the text"
    if isinstance(item.value, int) and re.fullmatch(r"[-+]?0[0-7_]+", item.text):
        decimal = item.text.replace("_", "").lstrip("+-0") or "0"
        return f"YAML reads {item.text} as the octal number {item.value}; write {decimal} or {item.value}, or quote it"
    return None


@dataclass(frozen=True)
class Field:
    """The value of one key. Each reader returns None where it noted an error."""

    reading: Reading
    path: str
    item: Item

    def error(self, message: str) -> None:
        if not (isinstance(self.item, Scalar) and self.item.broken):
            note(self.reading, self.item.place, self.path, message)

    def warn(self, message: str) -> None:
        note(self.reading, self.item.place, self.path, message, warning=True)

    def expected(self, what: str) -> None:
        self.error(f"expected {what}, found {describe(self.item)}")

    @property
    def is_list(self) -> bool:
        return isinstance(self.item, Listing)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.item, MappingItem)

    @property
    def is_null(self) -> bool:
        return isinstance(self.item, Scalar) and self.item.value is None and not self.item.broken

    def is_word(self, word: str) -> bool:
        return isinstance(self.item, Scalar) and self.item.value == word

    def text(self, what: str = "a text") -> str | None:
        """The text as written: `on`, `1.10` and `010` stay what they are."""
        if isinstance(self.item, Scalar) and self.item.value is not None and self.item.text.strip():
            return self.item.text.strip() if self.item.plain else self.item.text
        self.expected(what)
        return None

    def integer(self, minimum: int, what: str) -> int | None:
        if isinstance(self.item, Scalar) and isinstance(self.item.value, int) and not isinstance(self.item.value, bool):
            if message := trap(self.item):
                self.error(message)
            elif self.item.value < minimum:
                self.error(f"expected {what}, at least {minimum}, found {self.item.text}")
            else:
                return self.item.value
            return None
        self.expected(what)
        return None

    def number(self, what: str, *, above: float, most: float) -> float | None:
        """A whole or a broken number within (above, most]."""
        if isinstance(self.item, Scalar) and isinstance(self.item.value, int | float):
            if message := trap(self.item):
                self.error(message)
                return None
            if not isinstance(self.item.value, bool) and above < self.item.value <= most:
                return float(self.item.value)
        self.expected(what)
        return None

    def boolean(self) -> bool | None:
        if isinstance(self.item, Scalar) and isinstance(self.item.value, bool):
            return self.item.value
        self.expected("true or false")
        return None

    def choice(self, names: Sequence[str], later: Sequence[str] = ()) -> str | None:
        """One of `names`; those of `later` are refused by name."""
        what = listed(names)
        word = self.text(what)
        if word is None or word in names:
            return word
        if word in later:
            self.error(f"{word} {NOT_YET}; expected {what}")
            return None
        near = nearest(word, names)
        self.error(f"expected {what}, found {word!r}" + (f"; did you mean {near}?" if near else ""))
        return None

    def duration_s(self) -> float | None:
        seconds = self._converted(units.duration_s, units.DURATION)
        if seconds == 0:
            self.error("expected a duration above zero")
            return None
        return seconds

    def percentage(self, what: str) -> float | None:
        """`1%` → 0.01."""
        return self._converted(units.share, what)

    def size_bytes(self) -> int | None:
        size = self._converted(units.size_bytes, units.SIZE)
        if size == 0:
            self.error("expected a size above zero")
            return None
        return size

    def cpu_set(self) -> str | None:
        return self._converted(units.cpu_set, "processor numbers like 0-3,8")

    def _converted(self, convert: Callable[[str], _T], what: str) -> _T | None:
        if not isinstance(self.item, Scalar) or self.item.value is None or isinstance(self.item.value, bool):
            self.expected(what)
            return None
        if not isinstance(self.item.value, str) and ":" in self.item.text:
            self.error(f"expected {what}, found {self.item.text}")
            return None
        try:
            return convert(self.item.text)
        except (ValueError, OverflowError):
            self.error(f"expected {what}, found {self.item.text!r}")
            return None

    def items(self, what: str, *, empty: bool = False) -> list[Field]:
        """The values of a list, each with its own path; an empty list is an error unless `empty`."""
        if not isinstance(self.item, Listing):
            self.expected(what)
            return []
        if not self.item.items and not empty:
            self.error(f"the list is empty; expected {what}")
        return [Field(self.reading, f"{self.path}[{index}]", each) for index, each in enumerate(self.item.items)]

    def texts(self, what: str) -> tuple[str, ...] | None:
        """A list of texts with at least one."""
        read = [each.text("a text") for each in self.items(what)]
        good = tuple(each for each in read if each is not None)
        return good if good and len(good) == len(read) else None

    def section(self, what: str = "keys with values") -> Section | None:
        if isinstance(self.item, MappingItem):
            return Section(self.reading, self.path, self.item)
        self.expected(what)
        return None


@dataclass(frozen=True)
class Section:
    """A mapping that is being read."""

    reading: Reading
    path: str
    mapping: MappingItem

    def below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def field(self, name: str) -> Field | None:
        """The value of `name`; None where the key is absent, or has no value at all."""
        entry = self.mapping.entries.get(name)
        if entry is None:
            return None
        field = Field(self.reading, self.below(name), entry.item)
        return None if field.is_null else field

    def section(self, name: str, what: str = "keys with values") -> Section | None:
        field = self.field(name)
        return field.section(what) if field else None

    def fields(self) -> Iterator[tuple[str, Entry, Field]]:
        """Every key with its entry and value, nulls included."""
        for name, entry in self.mapping.entries.items():
            yield name, entry, Field(self.reading, self.below(name), entry.item)

    def at_key(self, name: str, message: str, *, warning: bool = False) -> None:
        """A problem at the key itself."""
        place = self.mapping.entries[name].place if name in self.mapping.entries else self.mapping.place
        note(self.reading, place, self.below(name), message, warning=warning)

    def check_names(self, valid: Sequence[str], later: Mapping[str, str], *, warning: bool = False) -> set[str]:
        """Notes every unknown key, and those of `later` (name → what to do) as not carried out yet. Returns the
        names that unknown keys were probably meant for, so that they need not be called missing as well."""
        meant = set()
        for name in self.mapping.entries:
            if name in valid:
                continue
            if name in later:
                if self.field(name) is not None:
                    self.at_key(name, f"{NOT_YET}{later[name]}")
                continue
            near = nearest(name, [*valid, *later])
            if near:
                meant.add(near)
                hint = f"did you mean {near}?"
            else:
                hint = f"known here: {', '.join(valid)}" if valid else "nothing is known here"
            said = "unknown key, not used" if warning else "unknown key"
            self.at_key(name, f"{said}; {hint}", warning=warning)
        return meant

    def missing(self, name: str, what: str) -> None:
        """Notes that a required key is absent or empty, where nothing was said about it yet."""
        entry = self.mapping.entries.get(name)
        if entry and not Field(self.reading, name, entry.item).is_null:
            return
        place = entry.place if entry else self.reading.places.get(self.path, (0, 0))
        note(self.reading, place, self.below(name), f"{'has no value' if entry else 'is missing'}; expected {what}")


def finite(item: Item) -> bool:
    """False where a number in `item` is infinite or not a number: no result file could hold it."""
    if isinstance(item, Scalar):
        return not isinstance(item.value, float) or math.isfinite(item.value)
    if isinstance(item, Listing):
        return all(finite(each) for each in item.items)
    return all(finite(entry.item) for entry in item.entries.values())
