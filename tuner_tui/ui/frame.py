"""What every screen has: the bar at the top, the keys at the bottom, and a sentence where the terminal is too small."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual import events
from textual.actions import parse
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Static

from tuner_tui.ui.key_bar import KeyBar

if TYPE_CHECKING:
    from tuner_tui.ui.app import TunerApp

SMALLEST = (40, 12)
"""Columns and lines below which nothing sensible fits."""

WIDTHS = [(0, "-tiny"), (SMALLEST[0], "-narrow"), (78, "-normal"), (120, "-wide"), (180, "-huge")]
HEIGHTS = [(0, "-flat"), (SMALLEST[1], "-low"), (24, "-middle"), (36, "-high")]
"""Columns and lines from which a screen, and what lies over it, has one of these classes."""

AFTER_PAINT_S = 0.05
"""What need not be in the first paint of a screen waits so long for it."""

MODES = {"home": "Home", "task": "Task", "run": "Run", "compare": "Compare"}
_STYLES = Path(__file__).resolve().parent / "styles"
_KEYS = {"home": "F2", "task": "F3", "run": "F4", "compare": "F5"}


class ModeBar(Static):
    """One line: the four modes, the one that is shown marked by brackets too; what `title` says; where this is."""

    def __init__(self, mode: str) -> None:
        super().__init__(id="mode-bar", markup=False)
        self._mode = mode
        self._title = ""

    def set_title(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self.refresh()

    def render(self) -> Text:
        width = self.size.width
        app = cast("TunerApp", self.app)
        text = Text(no_wrap=True, overflow="ellipsis")
        for mode, name in MODES.items():
            if mode == self._mode:
                text.append(f"[{name}]", "bold reverse")
            else:
                text.append(f" {name} ", style="dim")
            if width >= 100:
                key = _KEYS[mode]
                text.append(f" {key} " if mode == self._mode else f"{key}  ", "dim")
        rest = width - text.cell_len
        for words in (f"{self._title}  {app.machine}" if self._title else app.machine, self._title):
            if words and cell_len(words) + 2 <= rest:
                return text.append(" " * (rest - cell_len(words)) + words)
        return text.append(set_cell_size(" " + self._title, max(0, rest)))

    def on_click(self, event: events.Click) -> None:
        app = cast("TunerApp", self.app)
        at = 0
        for mode, name in MODES.items():
            at += len(name) + 2 + (4 if self.size.width >= 100 else 0)
            if event.x < at:
                app.show_mode(mode)
                return


class TunerScreen(Screen[None]):
    """Base of the four screens. A screen composes `body` only, and is told of the run in `show_run`."""

    MODE: ClassVar[str]
    HELP_TEXT: ClassVar[str] = ""
    """Markdown at the head of the help page."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", id="app.back", show=False)]

    def __init_subclass__(cls, **how: Any) -> None:
        super().__init_subclass__(**how)
        cls.CSS_PATH = [_STYLES / f"{cls.MODE}.tcss"]

    @property
    def tuner(self) -> TunerApp:
        return cast("TunerApp", self.app)

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    def compose(self) -> ComposeResult:
        yield ModeBar(self.MODE)
        with Container(id="body"):
            yield from self.body()
        yield Static(id="too-small", markup=False)
        yield KeyBar()

    def set_title(self, title: str) -> None:
        """What the bar says beside the modes."""
        self.query_one(ModeBar).set_title(title)

    def on_resize(self, event: events.Resize) -> None:
        if self.has_class("-tiny") or self.has_class("-flat"):
            wanted = (
                f"tuner-tui needs {SMALLEST[0]}×{SMALLEST[1]}; this terminal is {event.size.width}×{event.size.height}"
            )
            self.query_one("#too-small", Static).update(wanted)

    def unsaved(self) -> str:
        """What would be lost by leaving now, as a question; "" where nothing would."""
        return ""

    def save_at_once(self) -> bool:
        """Saves what is unsaved. False, with a sentence on why, where that takes a question first."""
        return True

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        """Why an action cannot be done now, in words for a person; "" where it can. Its key is then neither in the
        footer nor in the help, and says this when it is pressed."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.why_not(action, parameters)

    def on_key(self, event: events.Key) -> None:
        if not self.app._keymap and event.key not in self._bindings.key_to_bindings:
            return
        for node, bindings in self._binding_chain:
            for binding in bindings.key_to_bindings.get(event.key, ()) if node is self else ():
                _, action, parameters = parse(binding.action)
                why = self.why_not(action, parameters)
                if why and event.key not in self.active_bindings:
                    self.say(why)
                    return

    def action_back(self) -> None:
        self.tuner.show_mode({"compare": "run"}.get(self.MODE, "home"))

    def say(self, text: str, severity: str = "information") -> None:
        """A toast. `text` is data, never markup. What a toast says already is not said again beside it."""
        if any(each.message == text and not each.has_expired for each in self.app._notifications):
            return
        self.notify(text, severity=severity, markup=False)  # type: ignore[arg-type]
