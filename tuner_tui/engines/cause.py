"""Which of a log's many error lines is the cause."""

from __future__ import annotations

import re

from tuner_tui.engines.error_patterns import PATTERNS, ErrorPattern
from tuner_tui.engines.facts import EngineError
from tuner_tui.engines.log_state import LogState

_WRAPPER, _EXCEPTION = 0, 1
"""Weights below those of `error_patterns`: a line that only says that something died, and any exception."""
_SIGNS = (
    # One of these is in every line that says anything here; they are much cheaper to look for than each wording.
    *("rror", "xception", "ailure", "ailed", "died", "dead", "sigquit", "terminated", "Traceback"),
    *("memory", "capacity", "NCCL", "nccl", "shm", "No space", "driver", "libcuda"),
    *("gated", "authorized", "manifest", "denied", "images/create", "atchdog", "bad_alloc"),
    *("xit code", "allocated"),
)
_NEEDLES = tuple((needle, each) for each in PATTERNS for needle in each.needles)
_FAR_LINES = 500
"""Once ready, an error this many lines after the last one is a new story, not its continuation."""
_LONGEST = 2000

_PREFIXES = re.compile(
    r"^(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)? )?"  # Docker's time
    r"(?:\[rank\d+\]: ?)?"  # torch
    r"(?:\([A-Za-z][\w-]*(?: rank=\d+)? pid=\d+\) ?)*"  # vLLM's processes
    r"(?:(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[?[\w./-]+:\d+\] ?)?"
    r"(?:\[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z_]+\d+)*\] ?)?"  # SGLang's time and rank
    r"(?:(?P<uvicorn>DEBUG|INFO|WARNING|ERROR|CRITICAL): {3,8})?"
)
_QUIET = ("DEBUG", "INFO", "WARNING")
_EXCEPTION_LINE = re.compile(r"^(?P<type>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Failure))(?:: (?P<text>.*))?$")
_WRAPPING = re.compile(
    r"Engine core initialization failed|WorkerProc initialization failed|scheduler died during initialization"
    r"|EngineDeadError|^EOFError|^(?:BrokenPipe|ConnectionReset)Error|CancelledError|Worker failed with error"
    r"|ProcessExitedException|ActorDiedError"
)
_DEATHS = (
    # (words, is the server certainly lost at this very line)
    ("Received sigquit from a child process", True),
    ("EngineCore failed to start", False),
    ("WorkerProc failed to start", False),
    ("EngineCore encountered a fatal error", False),
    ("Scheduler hit an exception", False),
    ("DataParallelController hit an exception", False),
    ("Engine core initialization failed", True),
    ("Application startup failed. Exiting", True),
    ("died unexpectedly", False),
    ("scheduler is dead", False),
)
_DIED = re.compile(r"terminated with (?!0\b)-?\d+|died unexpectedly|scheduler is dead|Received sigquit|startup failed")


class CauseFinder:
    """Fed line by line. `doomed` turns true when no engine recovers from what was said."""

    def __init__(self, language: str) -> None:
        self.doomed = False
        self._language = language
        self._found: list[tuple[int, EngineError]] = []
        self._dying = False
        self._in_traceback = False
        self._handling = False
        self._code = ""
        self._file = ""

    def read(self, text: str, number: int, state: LogState) -> None:
        """One line, without escape sequences; `state` is what the lines before it said."""
        if not self._in_traceback and not text.startswith("  ") and not _has_sign(text):
            return
        prefix = _PREFIXES.match(text)
        message = text[prefix.end() :] if prefix else text
        if prefix and (prefix["level"] in _QUIET or prefix["uvicorn"] in _QUIET):
            return
        self._note_death(text)
        if message.startswith("  "):
            self._note_frame(message)
        elif message.startswith("During handling of the above exception"):
            self._handling = True
        if message and not message.startswith(" "):
            self._in_traceback = "Traceback (most recent call last)" in message
        # A traceback quotes source lines, and those hold the words of errors too.
        quoted = message.startswith(("    ", '  File "'))
        found = None if quoted else self._match(message, text, number, state) or self._exception(message, text, number)
        if found is None and _DIED.search(message):
            self._add(_WRAPPER, _died(text, number), state)
        elif found is not None:
            self._add(*found, state)

    def cause(self) -> EngineError | None:
        """The first of the most telling errors; with `fatal` set where the server is certainly lost."""
        if not self._found:
            return None
        _, error = max(self._found, key=lambda each: each[0])  # max keeps the first of equals
        return _fatal(error) if self.doomed else error

    def became_ready(self) -> None:
        """What was said before did not keep the server from getting ready, so it is no cause."""
        self._found.clear()
        self._dying = self.doomed = False

    def _note_death(self, text: str) -> None:
        for words, at_once in _DEATHS:
            if words in text:
                self._dying = True
                self.doomed = self.doomed or at_once

    def _note_frame(self, message: str) -> None:
        """Remembers the innermost frame of the traceback: a bare assertion says nothing else."""
        stripped = message.strip()
        if stripped.startswith('File "'):
            self._file = stripped
        elif stripped and not stripped.strip("^~ "):
            pass  # the marks below a source line
        elif stripped:
            self._code = stripped

    def _match(self, message: str, text: str, number: int, state: LogState) -> tuple[int, EngineError] | None:
        for needle, each in _NEEDLES:
            if needle in message and (match := each.pattern.search(message)):
                if each.certain and not state.ready:
                    self.doomed = True
                return each.weight, _engine_error(each, match, text, number, state, self._language)
        return None

    def _exception(self, message: str, text: str, number: int) -> tuple[int, EngineError] | None:
        match = _EXCEPTION_LINE.match(message)
        if match is None:
            return None
        if _WRAPPING.search(message):
            return _WRAPPER, _died(text, number)
        kind = match["type"].rpartition(".")[2]
        said = match["text"] or (f"at `{self._code}`" if self._code else "without a word")
        about_flags = re.search(r"server_args\.py|/arg_groups/|arg_utils\.py|/vllm/config/", self._file)
        error = EngineError(
            failure_class="bad_flag_value" if about_flags else "other",
            reason=f"the engine {'refuses its arguments' if about_flags else 'failed'}: {kind}: {said[:300]}",
            line=text[:_LONGEST],
            line_number=number,
        )
        if self._handling and self._found and self._found[-1][0] == _EXCEPTION:
            # Raised while another one was handled: this is the one that got through.
            self._found.pop()
        return _EXCEPTION, error

    def _add(self, weight: int, error: EngineError, state: LogState) -> None:
        if state.ready and self._found and error.line_number - self._found[-1][1].line_number > _FAR_LINES:
            self._found.clear()
        self._found.append((weight, error))
        if len(self._found) > 1000:  # a server that fails every request must not fill the memory
            del self._found[500:-1]
        self._handling = False
        if self._dying and weight >= _EXCEPTION:
            self.doomed = True


def _has_sign(text: str) -> bool:
    for sign in _SIGNS:  # noqa: SIM110 -- any() over a generator takes three times as long
        if sign in text:
            return True
    return False


def _engine_error(
    pattern: ErrorPattern, match: re.Match[str], text: str, number: int, state: LogState, language: str
) -> EngineError:
    if callable(pattern.advice):
        reason = pattern.advice(match, state, language)
    else:
        reason = pattern.advice.format(**match.groupdict())
    return EngineError(failure_class=pattern.failure_class, reason=reason, line=text[:_LONGEST], line_number=number)


def _died(text: str, number: int) -> EngineError:
    reason = "a process of the engine died and its log does not say why; read the lines above this one"
    return EngineError(failure_class="engine_process_died", reason=reason, line=text[:_LONGEST], line_number=number)


def _fatal(error: EngineError) -> EngineError:
    return EngineError(
        failure_class=error.failure_class,
        reason=error.reason,
        line=error.line,
        line_number=error.line_number,
        fatal=True,
    )
