"""What to do about a flag that the engine itself refused."""

from __future__ import annotations

import re

from tuner_tui.engines.catalogue import catalogue, plain
from tuner_tui.engines.equivalents import equivalent
from tuner_tui.engines.log_state import LogState
from tuner_tui.engines.nearest import nearest

_TITLES = {"sglang": "SGLang", "vllm": "vLLM"}


def unknown_flag(match: re.Match[str], state: LogState, language: str) -> str:
    """For argparse's "unrecognized arguments": names each flag, and what it may have been meant to be."""
    names = [plain(word.partition("=")[0]) for word in match["flags"].split() if word.startswith("--")]
    if not names:
        return f"the engine does not know the argument {match['flags']}"
    known, other = catalogue(language), "vllm" if language == "sglang" else "sglang"
    hints = []
    for name in names:
        flag, foreign = known.find(name), catalogue(other).find(name)
        gone = known.gone.get(name)
        near = nearest(name, known)
        if gone is not None:
            instead = f"; use {gone.use}" if gone.use else ""
            hints.append(f"{name} is gone since about version {gone.until}{instead}")
        elif flag is not None:
            hints.append(f"{name} is not in this version; {_TITLES[language]} {known.version} has it")
        elif foreign is not None:
            same = equivalent(foreign.name, to=language)
            hints.append(f"{name} is a {_TITLES[other]} flag" + (f", here it is {same}" if same else ""))
        elif near:
            hints.append(f"did you mean {near}?")
    listed = ", ".join(names)
    return f"the engine does not know {listed}" + (f" ({'; '.join(hints)})" if hints else "; take it out")


def ambiguous_flag(match: re.Match[str], state: LogState, language: str) -> str:
    """For an abbreviated or renamed flag that fits several."""
    which = " or ".join(plain(word.strip(" ,")) for word in match["which"].split())
    return f"{plain(match['flag'])} is ambiguous in this version; write {which}"


def bad_value(match: re.Match[str], state: LogState, language: str) -> str:
    """For argparse's "argument --x: …"."""
    return f"the engine refuses the value of {plain(match['flag'].split('/')[0])}: {match['why'].strip()}"
