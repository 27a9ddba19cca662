"""The last line of a screen: the keys that do something now, whole words only, help always the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widget import Widget

_LAST = ("app.leave", "app.help")
"""Ids of the bindings that stand at the end, whatever comes before."""
_ROOM_FOR_LEAVE = 48
"""Columns below which help alone stands at the end; it names all other keys."""


class Key(NamedTuple):
    """One key as it is shown. `key` is what a click presses."""

    id: str | None
    key: str
    display: str
    description: str
    enabled: bool = True
    tooltip: str = ""

    @property
    def width(self) -> int:
        return len(self.display) + 1 + len(self.description)


def fitting(keys: Iterable[Key], width: int) -> tuple[list[Key], int]:
    """The keys there is room for in `width` cells, and the cells between two of them.

    The first ones, in their order, and those of `_LAST`; what is left out is left out whole, from before the last.
    """
    everything = list(keys)
    last = [key for wanted in _LAST for key in everything if key.id == wanted]
    if width < _ROOM_FOR_LEAVE:
        last = last[-1:]
    others = [key for key in everything if key.id not in _LAST]
    for gap in (2, 1):
        if _width((*others, *last), gap) <= width:
            return [*others, *last], gap
    kept: list[Key] = []
    for key in others:
        if _width((*kept, key, *last), 1) <= width:
            kept.append(key)
    return [*kept, *last], 1


def _width(keys: Sequence[Key], gap: int) -> int:
    return sum(key.width for key in keys) + gap * (len(keys) - 1)


class KeyBar(Widget):
    """Shows the bindings of what has the focus, of the screen and of the app; a click presses the key.

    One widget that draws one line: a widget for each key, made anew whenever a binding may have changed, costs more
    than the rest of a screen.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--description"}
    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; color: $footer-foreground; background: $footer-background; }
    KeyBar > .key-bar--key { color: $footer-key-foreground; text-style: bold; }
    KeyBar > .key-bar--description { color: $footer-description-foreground; }
    """

    def __init__(self) -> None:
        super().__init__(id="key-bar")
        self._keys: list[Key] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._bindings_changed(self.screen)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        keys = self._active(screen)
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def _active(self, screen: Screen[object]) -> list[Key]:
        """Once for each action: a second key for it is the user's to find in the help."""
        found: dict[str, Key] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.action not in found:
                found[binding.action] = Key(
                    binding.id,
                    binding.key,
                    self.app.get_key_display(binding),
                    binding.description,
                    active.enabled,
                    active.tooltip,
                )
        return list(found.values())

    def render(self) -> Text:
        key_style = self.get_component_rich_style("key-bar--key")
        description_style = self.get_component_rich_style("key-bar--description")
        text = Text(no_wrap=True, overflow="crop", end="")
        keys, gap = fitting(self._keys, self.size.width)
        for key in keys:
            if text:
                text.append(" " * gap)
            start = len(text)
            text.append(key.display, key_style).append(" ").append(key.description, description_style)
            if not key.enabled:
                text.stylize("dim", start)
        return text

    def _key_at(self, x: int) -> Key | None:
        keys, gap = fitting(self._keys, self.size.width)
        start = 0
        for key in keys:
            if start <= x < start + key.width:
                return key
            start += key.width + gap
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        key = self._key_at(event.x)
        tooltip = key.tooltip if key is not None else None
        if (tooltip or None) != self.tooltip:
            self.tooltip = tooltip or None

    def on_click(self, event: events.Click) -> None:
        key = self._key_at(event.x)
        if key is None:
            return
        if key.enabled:
            self.app.simulate_key(key.key)
        else:
            self.app.bell()
