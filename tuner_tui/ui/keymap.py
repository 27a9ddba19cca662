"""The user's own keys: `keys.yaml` in the configuration folder, binding id → key or keys."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path

import yaml


class BadKeymap(Exception):
    """The keymap's file cannot be used; the message names it."""


def keymap_file() -> Path:
    """`~/.config/tuner-tui/keys.yaml` or the platform's equivalent."""
    import platformdirs

    return Path(platformdirs.user_config_dir("tuner-tui")) / "keys.yaml"


def load_keymap(path: Path) -> dict[str, str]:
    """Binding id → keys, several with commas; {} where there is no file. Raises BadKeymap."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadKeymap(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise BadKeymap(f"{path}: expected lines like `run.pause: p`")
    keymap = {}
    for name, keys in raw.items():
        wanted = keys if isinstance(keys, list) else [keys]
        if not all(isinstance(key, str | int) and not isinstance(key, bool) for key in wanted):
            raise BadKeymap(f"{path}: {name}: expected a key like p or ctrl+k, or a list of them (quote y, n, on, off)")
        keymap[str(name)] = ",".join(map(str, wanted))
    return keymap


def unknown_ids(keymap: dict[str, str], known: Collection[str]) -> list[str]:
    """A sentence for each id that no binding has."""
    said = []
    for name in keymap:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            said.append(f"no key binding is called {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return said


def binding_ids() -> set[str]:
    """The id of every binding there is, for the user's keymap."""
    import importlib
    import pkgutil

    from textual.binding import Binding
    from textual.dom import DOMNode

    import tuner_tui.ui

    for module in pkgutil.walk_packages(tuner_tui.ui.__path__, "tuner_tui.ui."):
        importlib.import_module(module.name)
    ids: set[str] = set()
    todo: list[type[DOMNode]] = [DOMNode]
    while todo:
        kind = todo.pop()
        todo += kind.__subclasses__()
        if kind.__module__.startswith("tuner_tui."):
            ids |= {
                binding.id
                for binding in kind.__dict__.get("BINDINGS", ())
                if isinstance(binding, Binding) and binding.id
            }
    return ids
