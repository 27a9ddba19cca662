"""A question before changes would be lost: save them, drop them, or stay."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from tuner_tui.ui.dialog import Dialog


class Unsaved(Dialog[Literal["save", "drop"] | None]):
    """None: the user stays. `what` is done after it: "leave", "open it"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,ctrl+s", "answer('save')", "Save", id="unsaved.save"),
        Binding("y", "answer('drop')", "Without saving", id="unsaved.drop"),
        Binding("n,escape", "answer('')", "Stay", id="unsaved.stay"),
        Binding("right,l", "app.focus_next", "Next button", show=False),
        Binding("left,h", "app.focus_previous", "Button before", show=False),
    ]

    def __init__(self, said: str, what: str) -> None:
        super().__init__()
        self._said, self._what = said, what

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._said, markup=False)
            with Horizontal(classes="buttons"):
                yield Button("n  stay", id="stay")
                yield Button(f"s  save and {self._what}", id="save")
                yield Button(f"y  {self._what} without", id="drop", variant="warning")

    def on_mount(self) -> None:
        self.query_one("#stay").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_answer("" if event.button.id == "stay" else str(event.button.id))

    def action_answer(self, answer: str) -> None:
        self.dismiss("save" if answer == "save" else "drop" if answer == "drop" else None)
