"""The command palette: every action that a key does now, by name. What a binding calls itself is what is listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import on
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen
from textual.widgets import Input, OptionList

from tuner_tui.ui.dialog import Dialog

_HIDDEN = {"command_palette", "app.focus_next", "app.focus_previous", "screen.copy_text", "screen.minimize"}


class ActionsProvider(Provider):
    """One command for each binding of the screen, its focused widget and the app that can be used just now."""

    def _commands(self) -> list[tuple[str, str, Callable[[], Any]]]:
        found: dict[str, tuple[str, str, Callable[[], Any]]] = {}
        screen: Screen[Any] = self.screen
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.description or not active.enabled or binding.action in _HIDDEN or binding.system:
                continue
            if binding.id is None:
                continue  # a widget's own, such as a table's cursor keys
            key = self.app.get_key_display(binding)
            found.setdefault(
                binding.description,
                (binding.description, binding.tooltip or f"key: {key}", self._runner(binding.action, active.node)),
            )
        return sorted(found.values(), key=lambda each: each[0].casefold())

    def _runner(self, action: str, node: Any) -> Callable[[], Any]:
        async def run() -> None:
            await self.app.run_action(action, node)

        return run

    async def discover(self) -> Hits:
        for name, help_text, callback in self._commands():
            yield DiscoveryHit(name, callback, help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, help_text, callback in self._commands():
            if (match := matcher.match(name)) > 0:
                yield Hit(match, matcher.highlight(name), callback, help=help_text)


class Palette(CommandPalette, Dialog[None]):
    """Textual's, in which keys behind the Enter that chose run nothing a second time."""

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _once(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        if not self.is_active:
            event.stop()
            event.prevent_default()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "command_list" and not self.query_one(CommandList).size:
            return False  # Textual (8.2) finds no line to go to in a list that has no room yet
        return super().check_action(action, parameters)
