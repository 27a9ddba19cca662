"""What all dialogs have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result], Generic[Result]):
    """Closes itself alone, and once. Over a slow line keys come in bursts: those behind the one that closed a dialog
    are still on their way to it, and Textual closes whatever is uppermost then, or ends the app where none is left."""

    _late: tuple[Result | None] | None = None
    """The result, where another dialog was open above when it came."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        if self.is_active:
            return super().dismiss(result)
        if self in self.app.screen_stack:
            self._late = (result,)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        if self._late is not None:
            self.dismiss(*self._late)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(action, parameters) if self.is_active else False
