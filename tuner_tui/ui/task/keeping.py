"""Getting the text into a file: saved, saved under another name, or saved for a start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.task.found import TASK_SUFFIXES
from tuner_tui.task.paths import is_folder, is_there, with_home, working_folder
from tuner_tui.task.samples import in_samples
from tuner_tui.ui.ask import ask_one
from tuner_tui.ui.screens.confirm import Confirm
from tuner_tui.ui.task.document import Document, free_name, save, stamp_of

if TYPE_CHECKING:
    from tuner_tui.ui.screens.task import TaskScreen


class Keeping:
    """Nothing is written over that is not the text's own file as it was last seen, but by a person's yes."""

    def __init__(self, screen: TaskScreen) -> None:
        self._screen = screen
        self._told: object = None

    def save(self) -> None:
        document = self._screen.document
        if document is None:
            return
        name, path = document.path.name, document.path
        if document.refusal:
            self.save_as()
        elif stamp_of(path) not in (document.stamp, None):
            self._sure(f"{name} was changed by another program. Write over it?", "write over", path)
        elif document.read_only:
            self._sure(f"{name} is marked read-only. Write it all the same?", "write it", path)
        else:
            self._write(path)

    def save_at_once(self) -> bool:
        """Without a question; where one would have to be asked, a sentence sends to the saving that asks it."""
        document = self._screen.document
        if document is None:
            return True
        why = document.refusal or ("it is marked read-only" if document.read_only else "")
        if stamp_of(document.path) not in (document.stamp, None):
            why = "another program has changed it"
        if why:
            self._screen.say(f"{document.path.name} is not saved: {why}. ctrl+s on F3 asks how", "warning")
            return False
        return self._write(document.path)

    def save_as(self) -> None:
        document = self._screen.document
        if document is None:
            return
        folder = working_folder() if document.refusal else document.path.parent
        value = str(free_name(folder, document.path.stem, document.path.suffix or ".yaml"))
        title = f"{document.refusal}; your own goes to" if document.refusal else "save as"

        def accept(typed: str) -> str:
            path = working_folder() / with_home(typed.strip())
            if not typed.strip() or is_folder(path):
                raise ValueError("type a file's name")
            if path.suffix not in TASK_SUFFIXES:
                path = path.with_name(f"{path.name}.yaml")
            if not is_folder(path.parent):
                raise ValueError(f"the folder {path.parent} is not there")
            if in_samples(path):
                raise ValueError("that is the samples' own folder, which stays as it is")
            return str(path)

        def taken(typed: str | None) -> None:
            if typed is None:
                return
            path = Path(typed)
            if is_there(path):
                self._sure(f"{path} is there already. Write over it?", "write over", path)
            else:
                self._write(path)

        hint = "a path; relative ones are of the folder tuner-tui was started in"
        self._screen.app.push_screen(ask_one(title, hint, value, accept), taken)

    def _sure(self, question: str, yes: str, path: Path) -> None:
        def answered(sure: bool | None) -> None:
            if sure:
                self._write(path)

        self._screen.app.push_screen(Confirm(question, yes=yes), answered)

    def _write(self, path: Path) -> bool:
        screen, document = self._screen, self._screen.document
        if document is None:
            return False
        try:
            saved = save(document, path)
        except OSError as error:
            screen.say(f"{path} cannot be written: {error.strerror}; S saves it elsewhere", "error")
            return False
        screen.saved(saved)
        screen.say(f"saved: {path}")
        return True

    # The file meanwhile

    def look_at_disk(self) -> None:
        """A file that another program has changed is read again, or, with changes here, told of once."""
        screen, document = self._screen, self._screen.document
        if document is None or (stamp := stamp_of(document.path)) == document.stamp:
            return
        if (document.path, stamp) == self._told:
            return
        self._told = (document.path, stamp)
        name = document.path.name
        if stamp is None:
            screen.say(f"{name} is no longer on the disk; ctrl+s writes it again", "warning")
        elif document.changed or document.is_new:
            screen.say(f"{name} was changed by another program too; saving asks first", "warning")
        elif screen.read_again():
            screen.say(f"{name} was changed by another program and read again")

    def ready_to_start(self) -> Document | None:
        """The document, saved first where it has changed and can be. None, with a sentence on why, where the plan that
        was shown is not what would be started."""
        screen, document = self._screen, self._screen.document
        if document is None:
            return None
        stamp = stamp_of(document.path)
        if stamp not in (document.stamp, None):
            if document.changed or document.is_new:
                screen.say(f"{document.path.name} was changed by another program; save it first (ctrl+s)", "warning")
            elif screen.read_again():
                screen.say(f"{document.path.name} was changed by another program: look at the plan again", "warning")
            return None
        if stamp is not None and not document.changed:
            return document
        if not document.refusal and not document.read_only:
            return screen.document if self._write(document.path) else None
        screen.say(f"started with your changes, which are not in {document.path.name}; ctrl+s asks where to keep them")
        return document
