"""What to do about a flag that the engine itself refused."""

from __future__ import annotations

import difflib
import json
import re

from tuner_tui.engines.arguments import literal
from tuner_tui.engines.catalogue import Catalogue, catalogue, plain
from tuner_tui.engines.check_value import value_problem
from tuner_tui.engines.counsel import Counsel
from tuner_tui.engines.equivalents import counterpart
from tuner_tui.engines.facts import Fix, Value
from tuner_tui.engines.nearest import nearest
from tuner_tui.engines.server_state import ServerState

_FLAG = re.compile(r"(?<!\S)--(?P<name>[A-Za-z][\w.-]*)(?:=|\s+|$)")
_WORD = re.compile(r"(?!--)\S+")
_UNDERSCORES = re.compile(r"--[a-z0-9-]*_")


def unknown_flag(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """For argparse's "unrecognized arguments": names each flag, and what it may have been meant to be."""
    given = _given(match["flags"])
    if not given:
        return Counsel(
            f"the engine takes no words without a flag here ({match['flags'][:200]}): the image may start it by itself "
            "already, or wants the model as --model; correct docker.command"
        )
    language = language or _engine_of(match.string)
    known, other = catalogue(language), catalogue("vllm" if language == "sglang" else "sglang")
    hints: list[str] = []
    instead: dict[str, Value] = {}
    misspelt = [plain(word.partition("=")[0]) for word in match["flags"].split() if _UNDERSCORES.match(word)]
    for name, value in given.items():
        hint, use = _meant(name, known, other)
        if name in misspelt and (full := known.full_name(name)) is not None:
            hint, use = f"write {full}, with hyphens", full
        if use is not None and (flag := known.find(use)) is not None and not flag.refused:
            value = True if value is None else value
            written = json.dumps(value) if isinstance(value, dict) else value
            if (problem := value_problem(flag, written)) is None:
                instead[use] = value
            elif hint:
                hint += f": {problem}"
        if hint:
            hints.append(hint)
    listed = ", ".join(given)
    why = f" ({'; '.join(hints)})" if hints else "; take it out"
    removed = tuple(name for name in given if name not in instead)
    return Counsel(f"the engine does not know {listed}{why}", Fix(set=instead, remove=removed))


def _meant(name: str, known: Catalogue, other: Catalogue) -> tuple[str, str | None]:
    """A hint, and the flag that may take the same value under its right name."""
    flag, foreign, gone = known.find(name), other.full_name(name), known.gone.get(name)
    if gone is not None:
        use = gone.use if gone.use and known.flags[gone.use].type in ("int", "count", "float") else None
        return f"{name} is gone since about version {gone.until}" + (f"; use {gone.use}" if gone.use else ""), use
    if flag is not None:
        return f"{name} is not in this version; {known.title} {known.version} has it", None
    if foreign is not None:
        there = counterpart(foreign, to=known.engine)
        if there is None:
            return f"{name} is a {other.title} flag", None
        if there.differs:
            return f"{name} is a {other.title} flag, here there is {there.words()}", None
        return f"{name} is a {other.title} flag, here it is {there.name}", there.name
    near = nearest(name, known)
    return (f"did you mean {near}?", known.full_name(near)) if near else ("", None)


def _given(text: str) -> dict[str, Value]:
    """`--a 1 --b --c=2 --d {"e": 3}` as name → value; None for a flag that was given none."""
    found: dict[str, Value] = {}
    flag = _FLAG.search(text)
    while flag:
        end = flag.end()
        if text.startswith(("{", "["), end):
            try:
                value, end = json.JSONDecoder().raw_decode(text, end)
            except ValueError:
                following = _FLAG.search(text, end)
                begin, end = end, following.start() if following else len(text)
                value = text[begin:end].strip()
        else:
            word = _WORD.match(text, end)
            value, end = (literal(word[0]), word.end()) if word else (None, end)
        found[plain(f"--{flag['name']}")] = value
        flag = _FLAG.search(text, end)
    return found


def ambiguous_flag(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """For an abbreviated or renamed flag that fits several."""
    which = [plain(word.strip(" ,")) for word in match["which"].split()]
    name, _, value = match["flag"].partition("=")
    gone = catalogue(language or _engine_of(match.string)).gone.get(plain(name))
    fix = None
    if gone is not None and gone.use in which and value:
        fix = Fix(set={gone.use: literal(value)}, remove=(plain(name),))
    return Counsel(f"{plain(name)} is ambiguous in this version; write {' or '.join(which)}", fix)


def bad_value(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """For argparse's "argument --x: …"."""
    name, why = plain(match["flag"].split("/")[0].strip()), match["why"].strip()
    fix = None
    if choice := re.match(r"invalid choice: '?(?P<given>[^' ]+)'? \(choose from (?P<choices>.+)\)", why):
        choices = [word.strip(" '\"") for word in choice["choices"].split(",")]
        near = difflib.get_close_matches(choice["given"], choices, n=1, cutoff=0.7)
        fix = Fix(set={name: near[0]}) if near else None
        why = f"{why}; did you mean {near[0]}?" if near else why
    return Counsel(f"the engine refuses the value of {name}: {why[:400]}", fix)


def _engine_of(text: str) -> str:
    return "vllm" if "vllm" in text or "api_server" in text else "sglang"
