"""A line to type in that takes its keys in the order in which they came, those typed ahead of it included."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual import events
from textual.binding import Binding
from textual.widgets import Input

from tuner_tui.ui.dialog import Dialog

# Enter goes the long way: it comes after the dialog's own keys (up, down), which go that way too.
_OWN = {
    key.strip(): binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding) and binding.action != "submit"
    for key in binding.key.split(",")
}

Result = TypeVar("Result")


class LineInput(Input):
    """Textual inserts letters at once, but looks up bound keys (backspace, left, …) only after they have gone all the
    way up to the app: of keys that arrive in one piece, as over a slow line, the letters then overtake them, and a
    correction deletes what was typed after it. Here the line's own bound keys act in their turn, too."""

    async def _on_key(self, event: events.Key) -> None:
        action = _OWN.get(event.key)
        if event.is_printable or action is None:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        await self.run_action(action)

    def take(self, event: events.Key) -> bool:
        """A key that was on its way elsewhere when the line got the focus. False: it is none of a line's."""
        if event.key == "backspace":
            self.action_delete_left()
        elif event.is_printable and event.character is not None:
            self.replace(event.character, *self.selection)
        else:
            return False
        return True


class LineDialog(Dialog[Result], Generic[Result]):
    """A dialog whose first line has the focus as soon as it is there, and gets what was typed before that."""

    def __init__(self) -> None:
        super().__init__()
        self._early: list[events.Key] = []
        self._ready = False

    def on_mount(self) -> None:
        self._ready = True
        self.set_focus(self.query(LineInput).first())
        for event in self._early:
            self.take(event)
        self._early.clear()
        self.call_after_refresh(self._show_cursor)

    def _show_cursor(self) -> None:
        """At the end of a long value, which Textual leaves out of sight until the cursor moves."""
        line = self.query(LineInput).first()
        selection, line.cursor_position = line.selection, 0
        line.selection = selection

    def take(self, event: events.Key) -> bool:
        """A key that no widget has had. False: it is none of a line's."""
        if not self._ready:
            if kept := event.is_printable or event.key in ("backspace", "enter"):
                self._early.append(event)
            return kept
        line = self.query(LineInput).first()
        if event.key == "enter" and self.focused is None:
            line.post_message(Input.Submitted(line, line.value))
            return True
        return line.take(event)
