"""A configuration as command-line arguments."""

from __future__ import annotations

import json
import re

from tuner_tui.engines.catalogue import Catalogue, plain
from tuner_tui.engines.engine import Engine
from tuner_tui.task.model import Configuration, Value

_NEGATIVE = re.compile(r"-\d+|-\d*\.\d+")
"""What argparse takes for a number, not for a flag, in all versions of Python."""


def flags(engine: Engine, configuration: Configuration, catalogue: Catalogue) -> list[str]:
    """The arguments for `configuration`, in its order, after those that `engine` always gets.

    True is the bare flag, None no flag at all. False is `--no-<name>` where the catalogue knows that form,
    else no flag. A list becomes several arguments after one name. Names are passed as written, except that
    dashes take the place of underscores and an abbreviation becomes the full name.
    """
    arguments: list[str] = []
    given = {_full(name, catalogue) for name in configuration}
    arguments += [flag for flag in engine.always if flag.removeprefix("--") not in given]
    for name, value in configuration.items():
        arguments += _argument(name, value, catalogue)
    return arguments


def _argument(name: str, value: Value, catalogue: Catalogue) -> list[str]:
    written = "--" + _written(name, catalogue)
    if value is None:
        return []
    if value is True:
        return [written]
    if value is False:
        flag = catalogue.find(name)
        negatable = flag is not None and flag.negatable and not plain(name).startswith("no-")
        return ["--no-" + written.removeprefix("--")] if negatable else []
    values = [_text(each) for each in value] if isinstance(value, list) else [_text(value)]
    if len(values) == 1 and values[0].startswith("-") and not _NEGATIVE.fullmatch(values[0]):
        # argparse would take the value for a flag of its own.
        return [f"{written}={values[0]}"]
    return [written, *values]


def _written(name: str, catalogue: Catalogue) -> str:
    flag = catalogue.find(name)
    return flag.name if flag is not None and plain(name) in flag.short else plain(name)


def _full(name: str, catalogue: Catalogue) -> str:
    flag = catalogue.find(name)
    return flag.name if flag is not None else plain(name)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list) or value is None:
        return json.dumps(value)
    return str(value)
