"""Themes: YAML files, those that come with the project and the user's own. docs/themes.md tells how to write one."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tuner_tui.task.paths import is_file, is_folder
from tuner_tui.ui.theme_file import BadTheme, ThemeFile, ThemeFiles

DEFAULT = "dark"

FIGURES = (
    "winner", "tied", "simulated", "weights", "kv-cache", "graphs", "other-memory", "free-memory",
    "series-1", "series-2", "series-3", "series-4", "series-5", "series-6", "log-time", "log-mark", "log-match",
)  # fmt: skip
"""Names under `figures:`, each a CSS variable of the same name (`$kv-cache`)."""

_COLORS = (
    "primary", "secondary", "accent", "warning", "error", "success", "foreground", "background", "surface", "panel",
)  # fmt: skip


def shipped_themes() -> Path:
    """The folder of the themes that come with the project, in a wheel and in a checkout alike."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def user_themes() -> Path:
    """The user's own: `~/.config/tuner-tui/themes` or the platform's equivalent."""
    import platformdirs

    return Path(platformdirs.user_config_dir("tuner-tui")) / "themes"


def kept_themes() -> Path:
    """Where themes are kept as they were read: `~/.cache/tuner-tui/themes.json` or the platform's equivalent."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("tuner-tui")) / "themes.json"


def first_theme(name: str, folders: Sequence[Path], files: ThemeFiles) -> Theme:
    """The theme called `name`, the later folders before the earlier; the default one where there is none."""
    for folder in reversed(folders):
        if name and is_file(path := folder / f"{name}.yaml"):
            with contextlib.suppress(BadTheme):
                return load_theme(path, files)
    return default_theme(files)


def default_theme(files: ThemeFiles) -> Theme:
    """The one that is shown where no other is chosen; what a theme's variables leave out is this one's."""
    return load_theme(shipped_themes() / f"{DEFAULT}.yaml", files)


def load_themes(folder: Path, files: ThemeFiles) -> tuple[dict[str, Theme], list[str]]:
    """Every theme in `folder` by name (the file's stem), and a sentence for each file that is none."""
    themes: dict[str, Theme] = {}
    bad: list[str] = []
    for path in sorted(folder.glob("*.yaml")) if is_folder(folder) else []:
        try:
            themes[path.stem] = load_theme(path, files)
        except BadTheme as error:
            bad.append(str(error))
    return themes, bad


def load_theme(path: Path, files: ThemeFiles) -> Theme:
    """Raises BadTheme."""
    file = files.read(path)
    if "primary" not in file.colors:
        raise BadTheme(f"{path}: colors: primary is missing")
    for section, given, known in (("colors", file.colors, _COLORS), ("figures", file.figures, FIGURES)):
        for name, value in given.items():
            if name not in known:
                import difflib

                near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise BadTheme(f"{path}: {section}: there is no {name!r}{hint}")
            try:
                Color.parse(value)
            except ColorParseError as error:
                raise BadTheme(
                    f'{path}: {section}.{name}: {value!r} is no colour, expected one like "#7aa2f7"'
                ) from error
    return Theme(
        name=path.stem,
        **file.colors,  # type: ignore[arg-type]
        dark=file.dark,
        ansi=file.ansi,
        variables={**_quiet(file), **file.variables, **file.figures},
    )


def _quiet(file: ThemeFile) -> dict[str, str]:
    """Textual's variables that this app wants calmer than they come."""
    if file.ansi:
        return {
            "ansi-background": "ansi_black",
            "ansi-foreground": "ansi_white",
            "block-cursor-foreground": "ansi_black",
            "block-cursor-background": "ansi_white",
            "block-cursor-blurred-background": "ansi_bright_black",
            "block-cursor-blurred-foreground": "ansi_white",
            "input-cursor-text-style": "reverse",
            "input-selection-background": "ansi_bright_blue",
            "footer-background": "ansi_default",
            "border": "ansi_blue",
            "border-blurred": "ansi_bright_black",
        }
    colors = file.colors
    return {
        "block-cursor-text-style": "bold",
        "footer-background": colors.get("panel", colors["primary"]),
        "footer-key-foreground": colors["primary"],
        "border": colors["primary"],
        "border-blurred": colors.get("secondary", colors["primary"]),
    }
