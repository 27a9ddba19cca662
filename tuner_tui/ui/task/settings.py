"""What stands beside the grid: each setting's place in the file, how it is typed, and what may be chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import yaml

from tuner_tui.engines.catalogue import Flag
from tuner_tui.engines.flag_words import kind_words
from tuner_tui.engines.registry import ENGINES
from tuner_tui.task.goal import NAMED
from tuner_tui.task.typed import (
    limits_yaml,
    list_yaml,
    one_yaml,
    pieces,
    source,
    texts_yaml,
    typed_limits,
    typed_texts,
    typed_values,
    values_yaml,
)
from tuner_tui.task.yaml_text import Path, dotted


@dataclass(frozen=True)
class Setting:
    """`absent` is what holds where the file says nothing; "" where it must say something. `choices` maps a value to
    what it means."""

    label: str
    path: Path
    hint: str
    absent: str = ""
    to_yaml: Callable[[str], str] = one_yaml
    shown: Callable[[str, yaml.Node], str] = source
    choices: Mapping[str, str] | None = None
    instead_of: Path = ()
    """What is taken out of the file when this comes in; () where both may stand."""

    @property
    def key(self) -> str:
        return dotted(self.path)


def _gpus(typed: str) -> str:
    return "[]" if typed.strip() in ("none", "no", "[]") else list_yaml(pieces(typed.strip().strip("[]")))


def _shown_gpus(text: str, node: yaml.Node) -> str:
    return (typed_values(text, node).strip("[]")) or "none"


def _items(typed: str) -> str:
    typed = typed.strip()
    found = pieces(typed[1:-1] if typed.startswith("[") and len(pieces(typed)) == 1 else typed)
    if not found:
        raise ValueError("type at least one")
    return list_yaml(found)


def _shown_items(text: str, node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return ", ".join(source(text, each) for each in node.value)
    return source(text, node)


def _loads(typed: str) -> str:
    return "max" if typed.strip() == "max" else _items(typed)


def _as_yaml(typed: str) -> str:
    return typed.strip()


def _alternatives(typed: str) -> str:
    found = pieces(typed)
    if not found or not all(each.startswith("{") for each in found):
        raise ValueError("expected alternatives like {tp-size: 1, dp-size: 2}, {tp-size: 2, dp-size: 1}")
    return f"[{', '.join(found)}]"


_SWITCH = {"true": "", "false": ""}
_OBJECTIVES = {
    "minimize_latency": "the mean time of a whole request",
    "maximize_throughput": "output tokens per second and GPU",
    "minimize_ttft": "the mean time to the first token",
    "minimize_tpot": "the mean time per output token",
    "maximize_goodput": "requests per second and GPU that keep the limits",
}
assert set(_OBJECTIVES) == set(NAMED)

LINKED = Setting(
    "linked",
    ("linked",),
    "alternatives that vary together: {tp-size: 1, dp-size: 2}, {tp-size: 2, dp-size: 1}",
    "none",
    to_yaml=_alternatives,
    shown=_shown_items,
)

SETTINGS = (
    Setting("model", ("model",), "a folder, a Hugging Face id (org/name), or a name under the models folder"),
    Setting(
        "engine",
        ("engine",),
        "which engine is tuned",
        choices={name: each.title if name != "simulated" else "no model runs" for name, each in ENGINES.items()},
    ),
    Setting("image", ("image",), "the container image", "the engine's own"),
    Setting(
        "backend",
        ("backend",),
        "where a server runs",
        "docker",
        choices={"docker": "in a container", "process": "as a process of this machine"},
    ),
    Setting("gpus", ("gpus",), "GPU numbers like 0, 1; none for no GPU", "all found", _gpus, _shown_gpus),
    Setting(
        "traffic",
        ("benchmark", "traffic"),
        "tokens in and out: D(100,100), or N(480,240)/(300,150) by mean and deviation, or U(50,100)/(200,250)",
        to_yaml=texts_yaml,
        shown=typed_texts,
    ),
    Setting(
        "concurrency",
        ("benchmark", "concurrency"),
        "requests at once, each a level: 1, 4, 16; max looks for the most that keep the limits",
        "by request rate",
        to_yaml=_loads,
        shown=typed_values,
        instead_of=("benchmark", "request_rate"),
    ),
    Setting(
        "request rate",
        ("benchmark", "request_rate"),
        "requests a second, each a level: 2, 4, 8; max looks for the highest that keeps the limits",
        "by concurrency",
        to_yaml=_loads,
        shown=typed_values,
        instead_of=("benchmark", "concurrency"),
    ),
    Setting("requests", ("benchmark", "max_requests"), "a level ends after so many requests", "no bound"),
    Setting("time", ("benchmark", "max_time"), "a level ends after so long: 10s, 2m", "no bound"),
    Setting(
        "endpoint", ("benchmark", "endpoint"), "what requests are sent to", "completions",
        choices={"completions": "token ids of exact length", "chat": "texts, through the chat template"},
    ),
    Setting(
        "tool", ("benchmark", "tool"), "what sends the load", "builtin",
        choices={"builtin": "tuner-tui's own generator", "genai-bench": "that program"},
    ),
    Setting(
        "objective", ("objective",), "what is best, or {minimize: ttft.p99}", "minimize_latency", _as_yaml,
        choices=_OBJECTIVES,
    ),
    Setting(
        "limits", ("limits",), "what must be kept at every level: ttft.p99 < 500ms, tpot.mean < 50ms", "none",
        limits_yaml, typed_limits,
    ),
    Setting(
        "launches", ("search", "launches"), "starts of each configuration; with 1 there is no winner, 3 to 5 tell "
        "differences of a few per cent", "1",
    ),
    Setting("min. diff.", ("search", "min_difference"), "a difference too small to matter: 1%", "0%"),
    Setting("budget", ("search", "budget"), "no launch begins that would not end within it: 2h", "none"),
    Setting(
        "baseline", ("search", "baseline"), "also launch the engine without what is searched", "false", choices=_SWITCH
    ),
    Setting(
        "constraints", ("constraints",), "what a configuration must fulfil: tp_size * dp_size <= gpus", "none", _items,
        _shown_items,
    ),
    Setting("start-up", ("start_timeout",), "how long one launch may take until it is ready: 20m", "20m"),
)  # fmt: skip
"""In the order of the screen."""

_OWN = {"parameters", "unchecked", "linked", *(setting.path[0] for setting in SETTINGS)} - {"benchmark", "search"}


def other_settings(root: yaml.Node | None) -> list[Setting]:
    """What else the file says, each edited as YAML."""
    found: list[Setting] = []
    known = {setting.path for setting in SETTINGS}
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if not isinstance(key, yaml.ScalarNode) or key.value in _OWN:
            continue
        below = value.value if isinstance(value, yaml.MappingNode) else []
        names = [inner.value for inner, _ in below if isinstance(inner, yaml.ScalarNode)]
        paths: list[Path] = [(key.value, name) for name in names] or [(key.value,)]
        for path in paths:
            if path not in known and path not in (("benchmark",), ("search",)):
                found.append(Setting(dotted(path), path, "as in the file (YAML)", "none", _as_yaml))
    return found


_VALUES = "0.7, 0.8 tries both; 2048..16384 ×2 doubles; 0.7..0.9 +0.1 counts up; null is the engine's default"


def values_setting(path: Path, flag: Flag | None) -> Setting:
    """The values of the flag at `path`, edited like a setting; `flag` is what the catalogue knows of it."""
    hint, choices = _VALUES, None
    if flag is not None and flag.type == "bool":
        hint, choices = "", {"false, true": "try both", "true": "on", "false": "off"}
    elif flag is not None and flag.choices:
        hint, choices = f"several with commas: {flag.choices[0]}, …", {str(each): "" for each in flag.choices}
    about = f"{kind_words(flag)}. {flag.does}".rstrip() if flag is not None else ""
    hint = "\n".join(filter(None, (about, hint)))
    return Setting(str(path[-1]), path, hint, "", values_yaml, typed_values, choices)
