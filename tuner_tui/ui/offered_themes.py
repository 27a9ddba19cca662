"""The themes that the app offers: read when it has been painted, and again whenever a file has changed."""

from __future__ import annotations

from textual.app import App
from textual.theme import Theme

from tuner_tui.ui.theme_file import ThemeFiles
from tuner_tui.ui.themes import default_theme, first_theme, kept_themes, load_themes, shipped_themes, user_themes
from tuner_tui.ui.watch_files import Stamp, stamp


class OfferedThemes:
    """Those that come with the project, then the user's own, which take the place of one of the same name."""

    def __init__(self) -> None:
        self._folders = (shipped_themes(), user_themes())
        self._files = ThemeFiles(kept_themes())
        self._stamps: Stamp = {}
        self._said: set[str] = set()

    def first(self, name: str) -> Theme:
        """The one that is remembered, or the default one; no other is read for it."""
        return first_theme(name, self._folders, self._files)

    def default_variables(self) -> dict[str, str]:
        """What a theme's own variables leave out."""
        return default_theme(self._files).variables

    def offer(self, app: App[None]) -> list[str]:
        """Registers all with the app, if a file has changed since the last time; the theme in use is then drawn anew.
        A sentence for each file that is no theme, once."""
        stamps = stamp(self._folders)
        if stamps == self._stamps:
            return []
        first = not self._stamps
        self._stamps = stamps
        if first:
            for name in set(app.available_themes) - {app.theme}:
                app.unregister_theme(name)
        bad: list[str] = []
        for folder in self._folders:
            themes, unusable = load_themes(folder, self._files)
            bad += unusable
            for theme in themes.values():
                app.register_theme(theme)
        self._files.keep()
        if not first and app.theme in app.available_themes:
            app._watch_theme(app.theme)
        new = [sentence for sentence in bad if sentence not in self._said]
        self._said.update(new)
        return new
