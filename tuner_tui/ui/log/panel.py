"""The log with its status line, its filter and its keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from tuner_tui.ui.line_input import LineInput
from tuner_tui.ui.log.copy import CLIPBOARD_BYTES, clipboard_sequence, in_tmux, write_lines
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.jump_list import JumpList
from tuner_tui.ui.log.query import parse_query
from tuner_tui.ui.log.seek import seek_line
from tuner_tui.ui.log.status import counted, status
from tuner_tui.ui.log.taking_out import all_texts, chosen_text
from tuner_tui.ui.log.times import EXAMPLES, Times
from tuner_tui.ui.log.view import LogView

Severity = Literal["information", "warning", "error"]

TYPING_PAUSE_S = 0.15
"""A search begins when typing rests that long."""
_MANY = 200_000
"""Lines that take a second to save."""


class LogPanel(Vertical):
    """Shows one log file, which may still grow.

    `show` says which; `limit_bytes` lets only a first part of it exist; what the panel has to say beside its status
    line it posts as `Said`, for a toast. All of its keys are bindings with an id that begins with `log.`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # These two before all else: what is typed right behind them, as it comes over a slow line, is for the prompt.
        Binding("slash", "find", "Filter", key_display="/", id="log.find", priority=True),
        Binding("s", "follow", "Follow", id="log.follow"),
        Binding("n", "match(True)", "Next match", show=False, id="log.match.next"),
        Binding("N", "match(False)", "Previous match", show=False, id="log.match.previous"),
        Binding("ampersand", "filters", "Hide or show other lines", key_display="&", show=False, id="log.filters"),
        Binding("m", "mark(True)", "Next mark", show=False, id="log.mark.next"),
        Binding("M", "mark(False)", "Previous mark", show=False, id="log.mark.previous"),
        Binding("o", "marks", "Marks", id="log.marks"),
        Binding("e", "error", "Most telling error", show=False, id="log.error"),
        Binding("w", "wrap", "Wrap", id="log.wrap"),
        Binding("t", "times", "Times", id="log.times", tooltip="The clock, no times, or all as printed"),
        Binding("T", "seek", "Go to a time or a line", show=False, id="log.seek", priority=True),
        Binding("c", "copy", "Copy the chosen lines", show=False, id="log.copy"),
        Binding("ctrl+s", "save", "Save the shown lines", show=False, id="log.save"),
        Binding("k,up", "rows(-1)", "Line up", show=False, id="log.up"),
        Binding("j,down", "rows(1)", "Line down", show=False, id="log.down"),
        Binding("pageup,ctrl+b", "pages(-1)", "Page up", show=False, id="log.page_up"),
        Binding("pagedown,ctrl+f", "pages(1)", "Page down", show=False, id="log.page_down"),
        Binding("g,home", "top", "First line", show=False, id="log.top"),
        Binding("G,end", "end", "Last line, and follow", show=False, id="log.end"),
        Binding("h,left", "columns(-1)", "Two thirds of a page left", show=False, id="log.left"),
        Binding("l,right", "columns(1)", "Two thirds of a page right", show=False, id="log.right"),
        Binding("shift+up", "choose(-1)", "Choose the line above too", show=False, id="log.choose_up"),
        Binding("shift+down", "choose(1)", "Choose the line below too", show=False, id="log.choose_down"),
        Binding("escape", "back", "Clear the filter", show=False, id="log.back"),
    ]
    DEFAULT_CSS = """
    LogPanel {
        height: 1fr;
        & > #log-status { height: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        & > LogView { height: 1fr; }
        & > #log-question { height: 1; }
        & #log-asked-for { width: auto; color: $text-accent; }
        & #log-prompt { width: 1fr; height: 1; border: none; padding: 0; }
    }
    """

    class Said(Message):
        """A sentence for a toast."""

        def __init__(self, text: str, severity: Severity = "information") -> None:
            super().__init__()
            self.text = text
            self.severity = severity

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view = LogView(self._changed, id="log-view")
        self._status = Static("", id="log-status", markup=False)
        self._prompt = LineInput(id="log-prompt", compact=True)
        self._asked_for = Static("", id="log-asked-for", markup=False)
        self._question = Horizontal(self._asked_for, self._prompt, id="log-question")
        self._question.display = False
        self._asks: Literal["filter", "time"] = "filter"
        self._title = ""
        self._said = ""
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._status
        yield self._view
        yield self._question

    def on_mount(self) -> None:
        self._tell()

    @property
    def view(self) -> LogView:
        return self._view

    def show(self, path: Path | None, *, language: str | None, title: str) -> None:
        """Another log, from its end; None: none. `language` names the reader of its facts (`sglang`, `vllm`; None:
        an unknown engine's), `title` says whose log it is. The filter stays."""
        self._title = title
        self._view.show(path, language or "")
        self._tell()

    @property
    def following(self) -> bool:
        """Whether the end of the log is shown as it grows."""
        return self._view.viewport.following

    @following.setter
    def following(self, following: bool) -> None:
        self._view.viewport.follow(following)
        if following:
            self._view.moved()
        else:
            self._tell()

    @property
    def limit_bytes(self) -> int | None:
        """Only so many bytes of the file exist; None: all."""
        return self._view.limit_bytes

    @limit_bytes.setter
    def limit_bytes(self, limit: int | None) -> None:
        self._view.limit_bytes = limit

    def jump_to_line(self, number: int) -> None:
        """Goes to a line, counted from 1 as facts count; as soon as it is known."""
        self._jump(max(number, 1) - 1)

    def focus(self, scroll_visible: bool = True) -> LogPanel:
        self._view.focus(scroll_visible)
        return self

    # The status line

    def _changed(self) -> None:
        self._tell()
        document = self._view.document
        if document is not None and document.replaced:
            document.replaced = False
            self.post_message(self.Said("The log was cut or replaced: this is the new one", "warning"))

    def _tell(self) -> None:
        said = status(self._title, self._view)
        if said != self._said:
            self._said = said
            self._status.update(said, layout=False)

    # The prompt

    def action_find(self) -> None:
        query = self._view.wanted
        self._ask("filter", query.text if query else "", "regular expression or text; !… for the other lines")

    def action_seek(self) -> None:
        self._ask("time", "", EXAMPLES)

    def _ask(self, what: Literal["filter", "time"], value: str, hint: str) -> None:
        self._asks = what
        with self.prevent(Input.Changed):
            self._prompt.value = value
        self._prompt.placeholder = hint
        self._asked_for.update("filter " if what == "filter" else "go to ")
        self._question.display = True
        self.screen.set_focus(self._prompt)

    def _asked(self) -> None:
        self._question.display = False
        self._view.focus()

    @on(Input.Changed, "#log-prompt")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._asks == "filter":
            text = event.value
            self._no_longer_typed()
            self._typing = self.set_timer(TYPING_PAUSE_S, lambda: self._filter(text))

    def _no_longer_typed(self) -> None:
        if self._typing is not None:
            self._typing.stop()

    def _filter(self, text: str) -> None:
        query = parse_query(text)
        if query != self._view.wanted:
            self._view.ask(query)
        self._tell()

    @on(Input.Submitted, "#log-prompt")
    async def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._asks == "filter":
            self._no_longer_typed()
            self._filter(event.value)
        elif event.value.strip():
            try:
                line = seek_line(self._view.document, event.value)
            except ValueError as error:
                self.post_message(self.Said(str(error), "warning"))
                return
            self._jump(line)
        self._asked()

    def action_back(self) -> None:
        """One thing at a time: the prompt, the filter, what is chosen."""
        if self._question.display:
            self._no_longer_typed()
            if self._asks == "filter":
                self._filter("")
            self._asked()
        elif self._view.wanted is not None:
            self._filter("")
        else:
            self._view.viewport.choice.be(None)
            self._view.moved()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("find", "seek"):
            return not self._prompt.has_focus
        if action == "back":  # else escape is the screen's
            view = self._view
            return self._question.display or view.viewport.choice.span is not None or view.wanted is not None
        return True

    # Moving

    def action_rows(self, by: int) -> None:
        self._view.viewport.scroll(by)
        self._view.moved()

    def action_pages(self, by: int) -> None:
        self.action_rows(by * max(self._view.viewport.height - 1, 1))

    def action_columns(self, by: int) -> None:
        self._view.scroll_sideways(by * max(self._view.page_columns * 2 // 3, 1))

    def action_top(self) -> None:
        self._view.viewport.go_top()
        self._view.moved()

    def action_end(self) -> None:
        self.following = True

    def action_follow(self) -> None:
        self.following = not self.following

    def action_choose(self, by: int) -> None:
        self._view.viewport.choose(by)
        self._view.moved()

    def _jump(self, line: int) -> None:
        """To a line, counted from 0."""
        self._view.viewport.jump_to_line(line)
        self._view.moved()

    def action_match(self, down: bool) -> None:
        if self._view.wanted is None:
            self.post_message(self.Said("No filter: / sets one"))
            return
        line = self._view.viewport.next_match(down)
        if line is None:
            self.post_message(self.Said(f"No match {'below' if down else 'above'}"))
        else:
            self._jump(line)

    def action_mark(self, down: bool) -> None:
        mark = self._view.viewport.next_mark(down)
        if mark is None:
            self.post_message(self.Said(f"No mark {'below' if down else 'above'}{self._so_far()}"))
        else:
            self._to_mark(mark.line)

    def action_marks(self) -> None:
        document = self._view.document
        if document is None or not document.marks:
            self.post_message(self.Said(f"No marks in this log{self._so_far()}"))
            return
        title = f"Marks in the log{self._so_far()}"
        self.app.push_screen(JumpList(document.marks, self._view.viewport.choice.current, title), self._to_mark)

    def action_error(self) -> None:
        document = self._view.document
        deciding = next((mark for mark in document.marks if mark.decides), None) if document else None
        if deciding is None:
            self.post_message(self.Said(f"No error in this log{self._so_far()}"))
        else:
            self._to_mark(deciding.line)

    def _so_far(self) -> str:
        """How much of it has been read for marks, where that is not all."""
        document = self._view.document
        if document is None or document.marked_to_end:
            return ""
        return f" so far: {document.marked_share:.0%} of it has been read"

    def _to_mark(self, line: int | None) -> None:
        if line is None:
            return
        if self._view.hides(line):
            self._view.filters = False
        self._jump(line)

    # Showing

    def action_filters(self) -> None:
        self._view.filters = not self._view.filters

    def action_wrap(self) -> None:
        self._view.wraps = not self._view.wraps

    def action_times(self) -> None:
        states = get_args(Times)
        self._view.times = states[(states.index(self._view.times) + 1) % len(states)]

    # Taking out

    async def action_copy(self) -> None:
        document = self._view.document
        if document is None:
            return
        lines = chosen_text(self._view)
        text = "\n".join(lines)
        sent = len(text.encode()) <= CLIPBOARD_BYTES
        if sent:
            self._to_clipboard(text)
        await self._write(document, "copied", lines, ", and offered to the terminal's clipboard" if sent else "")

    async def action_save(self) -> None:
        view, document = self._view, self._view.document
        if document is None:
            return
        if not document.complete or (view.filtered and document.searched < len(document.index)):
            self.post_message(self.Said("Not all of the log is read yet: save it in a moment", "warning"))
            return
        matches = document.matches[:] if view.filtered else None
        count = len(document.index) if matches is None else len(matches)
        if count > _MANY:
            self.post_message(self.Said(f"Saving {counted(count)} …"))
        await self._write(document, "saved" if matches is None else "filtered", all_texts(document, matches), "")

    async def _write(self, document: LogDocument, name: str, lines: Iterator[str] | list[str], note: str) -> None:
        try:
            path, count = await asyncio.to_thread(write_lines, document.path, name, lines)
        except OSError as error:
            self.post_message(self.Said(f"Could not be written: {error}", "error"))
            return
        self.post_message(self.Said(f"{counted(count)} written to {path}{note}"))

    def _to_clipboard(self, text: str) -> None:
        driver = self.app._driver  # App.copy_to_clipboard sends no wrapped sequence, and there is no other way
        if driver is not None:
            driver.write(clipboard_sequence(text, in_tmux=in_tmux()))
