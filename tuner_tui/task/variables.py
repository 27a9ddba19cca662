"""`~` and `$VARIABLE` in the task's texts, and which names are secrets."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tuner_tui.task.fields import Field
from tuner_tui.task.paths import with_home

_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)\}|([A-Za-z_]\w*))", re.ASCII)
_SECRET_LINE = re.compile(
    r"""(?ix) (?<![a-z0-9])
    ( (?:[a-z0-9]+[_-])* [a-z0-9]*(?:token|secret|password|passwd|apikey|[_-]key) ["']? \s* [:=] \s* )
    [^\s#,}\]] [^#,}\]]* """
)
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def is_secret(name: str) -> bool:
    """Whether an environment variable's name says that its value must not be written down."""
    words = name.upper().split("_")
    return any(word in ("KEY", "PASSWD") or word.endswith(("TOKEN", "SECRET", "PASSWORD", "APIKEY")) for word in words)


def has_password(text: str) -> bool:
    """Whether a URL with user and password stands in `text`, as proxies have it."""
    return bool(_PASSWORD_IN_URL.search(text))


def hide_secrets(line: str) -> str:
    """A source line fit to be quoted: what follows a secret's name is left out. Nothing before it moves."""
    return _PASSWORD_IN_URL.sub("://…@", _SECRET_LINE.sub(lambda found: found[1] + "…", line))


def expand(field: Field, text: str) -> str | None:
    """`$NAME` and `${NAME}` from the user's environment, `$$` → `$`. Notes an unknown name, and a secret one,
    since what is expanded is written down; None then."""
    failed = False

    def value(found: re.Match[str]) -> str:
        nonlocal failed
        name = found[1] or found[2]
        if name is None:
            return "$"
        if is_secret(name):
            failed = True
            field.error(
                f"${name} looks like a secret and would be written down; pass it by its name: `env: {{{name}: }}`"
            )
            return ""
        if name not in os.environ:
            failed = True
            field.error(f"${name} is not set in the environment; export it, or write $$ for a plain dollar sign")
            return ""
        return os.environ[name]

    expanded = _VARIABLE.sub(value, text)
    return None if failed else expanded


def expand_path(field: Field, text: str, folder: Path) -> Path | None:
    """An absolute path: variables and `~` filled in, relative to `folder`, `..` resolved by name only."""
    expanded = expand(field, text)
    if expanded is None:
        return None
    home = with_home(expanded)
    if home.parts[:1] and home.parts[0].startswith("~"):
        field.error(f"{home.parts[0]} is no user of this machine; write the folder in full")
        return None
    return Path(os.path.normpath(folder / home))
