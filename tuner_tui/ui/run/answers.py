"""The runner's answers as sentences."""

from __future__ import annotations

from tuner_tui.runs.events import CommandTaken

_DONE = {
    "pause": "paused: no further launch begins until space",
    "continue": "the run goes on",
    "skip": "the launch is given up",
    "stop": "the run is being stopped",
    "measure": "one more launch is planned",
    "add": "the configurations joined the run",
}


def answer_words(taken: CommandTaken) -> str:
    if taken.accepted:
        return _DONE.get(taken.command, f"{taken.command}: accepted")
    return f"{taken.command} is refused: {taken.why}"
