"""The launch flags of an engine, read from `flags/<name>.yaml`."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any, Literal

import msgspec
import yaml


class Flag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One flag. Names have no leading dashes.

    `count` is an integer that may carry a suffix (2k, 1M). `many`: takes one value or several. `aliases` are
    other full names; `short` are abbreviations, replaced by the full name because they change their meaning
    from version to version. `words` are texts accepted beside the type. `negatable`: false is `--no-<name>`.
    `refused` says why a task may not set it. `does` is one line on what it does, `trades` one on what it costs.
    `constraints` are rules that tie it to other flags, the model or the GPU. `since`: the first version that has it,
    "" where that is long ago; `before`: what versions before that take in its place, where that is no flag that is
    gone since. `needs_relaunch`: false where a running server can be told of a new value.
    """

    name: str
    type: Literal["int", "float", "bool", "str", "json", "count"]
    many: bool = False
    negatable: bool = False
    aliases: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    default: Any = None
    min: float | None = None
    max: float | None = None
    unit: str = ""
    choices: tuple[str | int, ...] = ()
    words: tuple[str, ...] = ()
    does: str = ""
    trades: str = ""
    constraints: tuple[str, ...] = ()
    since: str = ""
    before: str = ""
    needs_relaunch: bool = True
    refused: str = ""


class Gone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flag of older versions: `until` still has it, the catalogue's own version does not."""

    until: str
    use: str = ""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All flags of one engine, as `version` declares them. `by_name` also leads from aliases."""

    engine: str
    title: str
    version: str
    flags: dict[str, Flag]
    gone: dict[str, Gone]
    by_name: dict[str, Flag]

    def formerly(self, flag: Flag) -> dict[str, str]:
        """Names that older versions had for `flag`, or for a part of it → the last version that has them."""
        return {name: gone.until for name, gone in self.gone.items() if gone.use == flag.name}

    def find(self, name: str) -> Flag | None:
        """The flag that a task means by `name`: dashes or underscores, alias, `no-` form, or the dotted
        part of a JSON flag (`compilation-config.mode`)."""
        name = plain(name)
        found = self.by_name.get(name)
        if found is None and name.startswith("no-"):
            positive = self.by_name.get(name.removeprefix("no-"))
            found = positive if positive is not None and positive.negatable else None
        if found is None and "." in name:
            root = self.by_name.get(name.partition(".")[0])
            if root is not None and root.type == "json":
                found = Flag(name=name, type="str", does=root.does)
        return found

    def full_name(self, name: str) -> str | None:
        """The name in full of the flag that `name` means, with its `no-`; None if there is no such flag."""
        flag = self.find(name)
        if flag is None:
            return None
        turned = plain(name).startswith("no-") and plain(name) not in self.by_name
        return f"no-{flag.name}" if turned else flag.name


def plain(name: str) -> str:
    """A flag's name as it is compared: no leading dashes, dashes for underscores."""
    head, dot, rest = name.lstrip("-").partition(".")
    return head.replace("_", "-") + dot + rest


@functools.cache
def catalogue(name: str) -> Catalogue:
    """The catalogue in `flags/<name>.yaml`; a file with `extends:` adds to another one and, with `takes:`,
    keeps only the named flags of it."""
    text = (resources.files("tuner_tui.engines") / "flags" / f"{name}.yaml").read_text(encoding="utf-8")
    # The C loader where there is one: a catalogue is read in 15 ms rather than 150.
    raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    flags: dict[str, Flag] = {}
    gone = msgspec.convert(raw.get("gone", {}), dict[str, Gone])
    if base_name := raw.get("extends"):
        base = catalogue(base_name)
        takes = set(raw.get("takes", base.flags))
        flags |= {key: flag for key, flag in base.flags.items() if key in takes or flag.refused}
    for key, fields in raw["flags"].items():
        flags[key] = msgspec.convert({"name": key, **fields}, Flag)
    by_name = dict(flags)
    for flag in flags.values():
        for other in (*flag.aliases, *flag.short):
            by_name.setdefault(other, flag)
    return Catalogue(engine=name, title=raw["title"], version=raw["version"], flags=flags, gone=gone, by_name=by_name)
