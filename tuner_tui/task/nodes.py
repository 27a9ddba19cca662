"""YAML or JSON text → values that know their place, with every fault of the text named.

PyYAML's node tree is used, since it keeps marks. Scalars follow YAML 1.1 as PyYAML's safe loader does, but for
two repairs: `1e-3` is a number, and a date stays text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from tuner_tui.task.reading import Place

MAX_NODES = 200_000
"""More values than this come only from aliases of aliases, which would fill the memory."""

_PREFIX = "tag:yaml.org,2002:"
ALIAS = "!alias"
_SCALAR_TAGS = {_PREFIX + name for name in ("null", "bool", "int", "float", "str")}


@dataclass(frozen=True)
class Scalar:
    """One value. `text` is as written, without quotes; `plain` is True where there were none."""

    place: Place
    value: bool | int | float | str | None
    text: str
    plain: bool
    broken: bool = False
    """A fault was already named; the value is None."""


@dataclass(frozen=True)
class Listing:
    """A YAML sequence."""

    place: Place
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Entry:
    """A key of a mapping with its value; `place` is the key's."""

    place: Place
    item: Item


@dataclass(frozen=True)
class Mapping:
    """A YAML mapping, merge keys resolved, in the order of the file."""

    place: Place
    entries: dict[str, Entry]


Item = Scalar | Listing | Mapping


@dataclass(frozen=True)
class Fault:
    """Something wrong with the text itself. `place` is (0, 0) for the file as a whole."""

    place: Place
    key: str
    message: str


class _Loader(yaml.SafeLoader):
    """SafeLoader with our own implicit resolvers, so that the base class keeps its own."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag not in (_PREFIX + "timestamp", _PREFIX + "value")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _PREFIX + "float",
    re.compile(r"^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def split_lines(text: str) -> list[str]:
    """The lines as PyYAML counts them."""
    return re.split("\r\n|[\n\r\x85\u2028\u2029]", text)


def without_json_tabs(text: str) -> str:
    """JSON may be indented by tabs, which YAML refuses: each one outside a string becomes one space, so that
    columns stay what they were. Text that does not begin like JSON is left as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    return re.sub(r'"(?:\\.|[^"\\])*"|\t', lambda found: " " if found[0] == "\t" else found[0], text, flags=re.S)


def compose(text: str) -> tuple[Item | None, list[Fault]]:
    """The document as an item, or None if it cannot be parsed or is empty; and all faults found."""
    loader: Any = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return None, []
        reading = _Conversion(loader)
        item = reading.item(root, "")
    except yaml.YAMLError as error:
        return None, [_fault_of(error, text)]
    except RecursionError:
        return None, [Fault((0, 0), "", "is nested too deeply; a task file needs five levels or so")]
    finally:
        if loader is not None:
            loader.dispose()
    if reading.sizes.get(id(root), 0) > MAX_NODES:
        return None, [Fault((0, 0), "", f"holds more than {MAX_NODES:,} values once its aliases are filled in")]
    return item, reading.faults


class _AliasKeepingLoader(_Loader):
    """An alias is a scalar at its own place; PyYAML has it be the node that it stands for, at that one's place."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.get_event()  # type: ignore[no-untyped-call]
            return yaml.ScalarNode(ALIAS, event.anchor, event.start_mark, event.end_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def node_tree(text: str) -> yaml.Node | None:
    """PyYAML's bare nodes with start and end marks, for those who change the text; aliases are nodes tagged ALIAS.
    Raises yaml.YAMLError, RecursionError."""
    loader: Any = None
    try:
        loader = _AliasKeepingLoader(without_json_tabs(text))
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        if loader is not None:
            loader.dispose()


def plain(item: Item) -> Any:
    """The bare Python value."""
    if isinstance(item, Scalar):
        return item.value
    if isinstance(item, Listing):
        return [plain(each) for each in item.items]
    return {key: plain(entry.item) for key, entry in item.entries.items()}


def record_places(item: Item, path: str, places: dict[str, Place]) -> None:
    """Fills `places`: dotted path → the place of the key, or of the value in a list."""
    if isinstance(item, Listing):
        for index, each in enumerate(item.items):
            places[f"{path}[{index}]"] = each.place
            record_places(each, f"{path}[{index}]", places)
    elif isinstance(item, Mapping):
        for key, entry in item.entries.items():
            below = f"{path}.{key}" if path else key
            places[below] = entry.place
            record_places(entry.item, below, places)


@dataclass
class _Conversion:
    loader: Any
    faults: list[Fault] = field(default_factory=list)
    done: dict[int, Item] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)

    def item(self, node: yaml.Node, path: str) -> Item:
        if id(node) in self.done:
            return self.done[id(node)]
        if id(node) in self.open:
            return self.broken(node, path, "the anchor holds itself; a value cannot be part of itself")
        self.open.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            item: Item = self.scalar(node, path)
            size = 1
        elif node.tag not in (_PREFIX + "seq", _PREFIX + "map") or (
            isinstance(node, yaml.SequenceNode) != (node.tag == _PREFIX + "seq")
        ):
            item, size = self.bad_tag(node, path), 1
        elif isinstance(node, yaml.SequenceNode):
            item = Listing(_place(node), tuple(self.item(each, f"{path}[{i}]") for i, each in enumerate(node.value)))
            size = 1 + sum(self.sizes.get(id(each), 1) for each in node.value)
        else:
            assert isinstance(node, yaml.MappingNode)
            item = self.mapping(node, path)
            size = 1 + sum(self.sizes.get(id(value), 1) for _, value in node.value)
        self.open.discard(id(node))
        self.done[id(node)] = item
        self.sizes[id(node)] = size
        return item

    def scalar(self, node: yaml.ScalarNode, path: str) -> Scalar:
        text: str = node.value
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            # JSON writes an emoji as two escapes, and PyYAML keeps the two halves.
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            node.value = text
        if node.tag == _PREFIX + "merge":
            return Scalar(_place(node), text, text, node.style is None)
        if node.tag not in _SCALAR_TAGS:
            return self.bad_tag(node, path)
        if "\0" in text:
            return self.broken(node, path, "holds a NUL character, which no command line can carry")
        try:
            value = self.loader.construct_object(node, deep=True)
        except (ValueError, KeyError, IndexError, OverflowError, yaml.YAMLError):
            kind = node.tag.removeprefix(_PREFIX)
            return self.broken(node, path, f"{_short(text)} cannot be read as {kind}")
        return Scalar(_place(node), value, text, node.style is None)

    def mapping(self, node: yaml.MappingNode, path: str) -> Mapping:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            place = _place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(Fault(place, path, "a key must be a plain word, not a list or a mapping"))
                continue
            if key_node.tag == _PREFIX + "merge":
                for source in self.merge_sources(value_node, path):
                    for name, entry in source.entries.items():
                        merged.setdefault(name, entry)
                continue
            key: str = key_node.value
            below = f"{path}.{key}" if path else key
            if key_node.tag not in _SCALAR_TAGS:
                self.bad_tag(key_node, below)
                continue
            if key == "":
                self.faults.append(Fault(place, path, "a key is missing before the colon"))
                continue
            item = self.item(value_node, below)
            if key in own:
                first = own[key].place[0]
                self.faults.append(Fault(place, below, f"stands twice, first in line {first}; keep one of them"))
                continue
            own[key] = Entry(place, item)
        return Mapping(_place(node), {**{k: v for k, v in merged.items() if k not in own}, **own})

    def merge_sources(self, node: yaml.Node, path: str) -> list[Mapping]:
        item = self.item(node, path)
        sources = item.items if isinstance(item, Listing) else (item,)
        good = [each for each in sources if isinstance(each, Mapping)]
        if len(good) < len(sources):
            self.faults.append(Fault(_place(node), path, "`<<` takes a mapping, or a list of mappings"))
        return good

    def bad_tag(self, node: yaml.Node, path: str) -> Scalar:
        tag = "!!" + node.tag.removeprefix(_PREFIX) if node.tag.startswith(_PREFIX) else node.tag
        return self.broken(node, path, f"the tag {_short(tag)} is not allowed; a task file holds plain values only")

    def broken(self, node: yaml.Node, path: str, message: str) -> Scalar:
        self.faults.append(Fault(_place(node), path, message))
        return Scalar(_place(node), None, "", False, broken=True)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _short(text: str) -> str:
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"


def _fault_of(error: yaml.YAMLError, text: str) -> Fault:
    """One sentence from what PyYAML says in several lines."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = (error.problem or error.context or "cannot be parsed").strip()
        if "\\t" in problem:
            return Fault(place, "", "a tab stands here; YAML takes spaces only, so indent with spaces")
        if "expected a single document" in (error.context or ""):
            return Fault(place, "", "a second YAML document begins here; a task file holds one, so remove the `---`")
        if problem == "could not find expected ':'" and error.context_mark:
            # The mark is where the colon was given up; the key itself is what a person looks for.
            began = (error.context_mark.line + 1, error.context_mark.column + 1)
            return Fault(began, "", "the YAML breaks here: a key has no colon after it")
        if problem == "mapping values are not allowed here":
            return Fault(
                place, "", "the YAML breaks here: no key can begin where this colon stands; is a quote missing?"
            )
        since = ""
        if error.context and error.context_mark and mark and error.context_mark.line != mark.line:
            since = f" ({error.context}, begun in line {error.context_mark.line + 1})"
        elif error.context:
            since = f" ({error.context})"
        return Fault(place, "", f"the YAML breaks here: {problem}{since}")
    position = getattr(error, "position", None)
    if isinstance(position, int):
        before = split_lines(text[:position])
        letter = text[position : position + 1]
        return Fault((len(before), len(before[-1]) + 1), "", f"the character U+{ord(letter or ' '):04X} is not allowed")
    return Fault((0, 0), "", "the YAML cannot be parsed")
