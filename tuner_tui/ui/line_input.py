"""A line to type in that takes its keys in the order in which they came."""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.widgets import Input

# Enter goes the long way: it comes after the dialog's own keys (up, down), which go that way too.
_OWN = {
    key.strip(): binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding) and binding.action != "submit"
    for key in binding.key.split(",")
}


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
