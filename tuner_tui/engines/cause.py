"""Which of a log's many error lines is the cause."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from tuner_tui.engines.counsel import Counsel
from tuner_tui.engines.error_pattern import EXCEPTION, WRAPPER, ErrorPattern
from tuner_tui.engines.facts import EngineError, Failed, Where
from tuner_tui.engines.line_plan import DEATHS, STOPS, Plan
from tuner_tui.engines.prefixes import Stripped
from tuner_tui.engines.server_state import ServerState

_QUIET_SIGN = -1
"""The weight, beside those of `error_pattern`, of a line that the engine calls a warning."""
_FAR_LINES = 500
"""Once ready, an error this many lines after the last one is a new story, not its continuation."""
_LONGEST = 2000
_MOST_DIFFERENT = 100
_UNKNOWN = "; look for that in the engine's issues, or take another version of the image"
_LONGEST_WORDS = 600
"""Of an exception that goes on over several lines."""
_LINGERING = ("nccl_failure", "shared_memory_too_small")

_EXCEPTION_LINE = re.compile(r"^(?P<type>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Failure))(?::\s*(?P<text>.*))?$")
_ANY_EXCEPTION = re.compile(
    r"^(?!SystemExit|KeyboardInterrupt)(?P<type>(?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?:: (?P<text>.*))?$"
)
"""What ends a traceback, whatever its name."""
_VALIDATION = re.compile(r"^pydantic\S*\.ValidationError: \d+ validation errors? for")
"""Pydantic says on the lines after this one what is wrong."""
_ABOUT_FLAGS = re.compile(
    r"--[a-z][a-z-]{3,}|\b(?:quanti[sz]ation|dtype|backend|LoRA)\b|(?i:(?:tensor|pipeline|data|expert) parallel)|"
    r"\b(?:max|min|num|enable|disable|tp|dp|pp|ep|kv|cuda|mem|gpu|chunked|speculative|page|block)_\w{3,}"
)
_FLAG = re.compile(r"(?<![\w-])--[a-z]")
_REFUSES = re.compile(
    r"\b(?:must|should|cannot|can't|not (?:supported|compatible|available|allowed|valid)|only (?:supports?|supported)|"
    r"requires?|greater than|incompatible|[Ii]nvalid|[Uu]nsupported|[Uu]nknown|does not support|mutually exclusive|"
    r"divisible|exceeds?|conflicts?|expected)\b"
)
_REFUSING = ("ValueError", "AssertionError", "NotImplementedError", "TypeError", "ArgumentTypeError", "UsageError")
_WRAPPING = re.compile(
    r"Engine core initialization failed|WorkerProc initialization failed|scheduler died during initialization"
    r"|EngineDeadError|^EOFError|^(?:BrokenPipe|ConnectionReset)Error|CancelledError|Worker failed with error"
    r"|ProcessExitedException|ActorDiedError|ChildFailedError|scheduler died|Server process exited"
    r"|MQEngineDeadError|Engine process failed to start|AsyncEngineDeadError|Background loop has errored"
    r"|ChildProcessError: worker died|subprocess exited with code -?\d"
)
_NOT_WORDS = ("Traceback (most", "During handling of", "The above exception")
"""What may follow an exception that said nothing."""
_PARALLEL_SIZE = re.compile(r"^assert .*\b(?:\w+_)?(?:tp|dp|pp|ep|world)_size\b")
"""What a bare assertion about parallel sizes looks like."""
_FLAG_FILES = re.compile(r"server_args\.py|/arg_groups/|arg_utils\.py|/vllm/config(?:/|\.py)")
_DIED = re.compile(
    r"terminated with (?!0\b)-?\d+|died unexpectedly|scheduler is dead|Received sigquit|startup failed"
    r"|Worker \S+ pid \d+ died, exit code|process died before responding"
    r"|^Subprocess .* crashed with exit code"
)


class _Unfinished(NamedTuple):
    """An exception whose words begin on the line after its name, or were wrapped where the log was copied."""

    kind: str
    words: str
    error: EngineError
    """What is known of it so far."""
    candidates: tuple[ErrorPattern, ...]
    """Wordings that its first line could be the beginning of."""


class CauseFinder:
    """Fed line by line. `doomed` turns true when no engine recovers from what was said."""

    def __init__(self, language: str) -> None:
        self.doomed = False
        self._language = language
        self._found: list[tuple[int, EngineError]] = []
        self._dying = False
        self._stopped = False
        self.listening = False
        """Whether the next line may tell something though nothing in it looks like it: inside of a traceback."""
        self._handling = False
        self._explained = False
        """The last error was a heading, and what follows says more."""
        self._unfinished: _Unfinished | None = None
        self._code = ""
        self._file = ""
        self._different: dict[tuple[str, str], EngineError] = {}
        self._death: EngineError | None = None
        """Said before anything was explained; counts only where nothing else is."""

    def read(self, piece: bytes, line: Stripped, where: Where, state: ServerState, plan: Plan) -> Failed | None:
        """One line, without escape sequences; `line` is its own words, `state` what the lines before it said, `plan`
        where to look. Returns the error in it."""
        if plan.stop and not self._stopped:
            text = plan.text(piece)
            self._stopped = any(words in text for words in STOPS)
        if self._stopped:
            return None
        number = where.line_number
        message = line.message
        if line.quiet:
            if line.level != "WARNING" or not plan.errors:
                return None
            text = plan.text(piece)
            return self._added(self._warning(message, text, number, state, plan.errors), where, state)
        # A traceback quotes source lines, and those hold the words of errors too.
        quoted = message.startswith(("    ", '  File "')) and self._unfinished is None
        if quoted and not plan.death:
            self._note_frame(message)
            return None
        text = plan.text(piece)
        if "etrying " in message or message.startswith("Error retrieving "):
            return None  # not the last attempt; the last one raises
        if plan.death:
            self._note_death(text, number)
        if message.startswith("  "):
            self._note_frame(message)
        elif message.startswith("During handling of the above exception"):
            self._handling = True
        ends = False
        if message and not message.startswith(" "):
            ends, self.listening = self.listening, "Traceback (most recent call last)" in message
        unfinished, self._unfinished = self._unfinished, None
        found = None
        if not quoted:
            found = self._match(message, text, number, state, plan.errors)
            if found is None and unfinished is not None and not plan.death:
                found = self._continued(unfinished, message, state)
            found = found or self._exception(message, text, number, ends and unfinished is None, plan.errors)
        if found is None and plan.death and _DIED.search(message):
            found = WRAPPER, _died(text, number)
        return self._added(found, where, state)

    def cause(self) -> EngineError | None:
        """The first of the most telling errors; with `fatal` set where the server is certainly lost."""
        telling = [each for each in self._found if each[0] > _QUIET_SIGN]
        if telling:
            _, error = max(telling, key=lambda each: each[0])  # max keeps the first of equals
        elif self._death is not None:
            error = self._death
        else:
            return None
        return msgspec.structs.replace(error, fatal=True) if self.doomed else error

    def errors(self) -> tuple[EngineError, ...]:
        """Every different error, the deciding one first, then in the order of the log."""
        rest = sorted(self._different.values(), key=lambda error: error.line_number)
        cause = self.cause()
        if cause is None:
            return tuple(rest)
        return (cause, *(error for error in rest if (error.failure_class, error.reason) != _name(cause)))

    def became_ready(self) -> None:
        """What was said before did not keep the server from getting ready, so it is no cause. What NCCL and its
        shared memory complained of is worth knowing still."""
        self._found.clear()
        self._different = {key: error for key, error in self._different.items() if key[0] in _LINGERING}
        self._dying = self.doomed = False
        self._death = None

    def _warning(
        self, message: str, text: str, number: int, state: ServerState, candidates: tuple[ErrorPattern, ...]
    ) -> tuple[int, EngineError] | None:
        """A warning is no cause, but some are the first sign of one."""
        for each in candidates:
            if each.even_quiet and (match := each.pattern.search(message)):
                return _QUIET_SIGN, _engine_error(each, match, text, number, state, self._language)
        return None

    def _note_death(self, text: str, number: int) -> None:
        for words, at_once in DEATHS:
            if words in text:
                self._dying = True
                self.doomed = self.doomed or at_once
                self._death = self._death or _died(text, number)

    def _note_frame(self, message: str) -> None:
        """Remembers the innermost frame of the traceback: a bare assertion says nothing else."""
        stripped = message.strip()
        if stripped.startswith('File "'):
            self._file = stripped
        elif stripped and not stripped.strip("^~ "):
            pass  # the marks below a source line
        elif stripped:
            self._code = stripped

    def _match(
        self, message: str, text: str, number: int, state: ServerState, candidates: tuple[ErrorPattern, ...]
    ) -> tuple[int, EngineError] | None:
        for each in candidates:
            if match := each.pattern.search(message):
                if each.alone and self._found:
                    return None
                if each.certain and not state.ready:
                    self.doomed = True
                return each.weight, _engine_error(each, match, text, number, state, self._language)
        return None

    def _exception(
        self, message: str, text: str, number: int, ends: bool, candidates: tuple[ErrorPattern, ...]
    ) -> tuple[int, EngineError] | None:
        """`ends`: the line follows the frames of a traceback. `candidates`: wordings it could begin."""
        match = _EXCEPTION_LINE.match(message) or (_ANY_EXCEPTION.match(message) if ends else None)
        if match is None:
            return None
        if _WRAPPING.search(message):
            return WRAPPER, _died(text, number)
        error = self._raised(match["type"], match["text"] or "", text, number)
        if self._handling and self._found and self._found[-1][0] == EXCEPTION:
            # Raised while another one was handled: this is the one that got through.
            self._forget_last()
        self._explained = _VALIDATION.match(message) is not None
        wordless = message.rstrip().endswith(":") and not match["text"]
        if wordless or candidates:
            self._unfinished = _Unfinished(match["type"], match["text"] or "", error, candidates)
            self.listening = True
            self._explained = self._explained or wordless
        return EXCEPTION, error

    def _continued(self, begun: _Unfinished, message: str, state: ServerState) -> tuple[int, EngineError] | None:
        """An exception that goes on with `message`."""
        if _EXCEPTION_LINE.match(message) or message.startswith(_NOT_WORDS):
            return None
        words = f"{begun.words} {message.strip()}".lstrip()
        line, number = begun.error.line, begun.error.line_number
        for each in begun.candidates:
            if match := each.pattern.search(f"{begun.kind}: {words}"):
                self._forget_last()
                self.doomed = self.doomed or (each.certain and not state.ready)
                return each.weight, _engine_error(each, match, line, number, state, self._language)
        if not begun.words:
            self._forget_last()
            return EXCEPTION, self._raised(begun.kind, words, line, number)
        if len(words) < _LONGEST_WORDS:
            self._unfinished, self.listening = begun._replace(words=words), True
        return None

    def _raised(self, kind: str, words: str, text: str, number: int) -> EngineError:
        """An exception of type `kind` that says `words`, or nothing."""
        name = kind.rpartition(".")[2]
        said = words or (f"at `{self._code}`" if self._code else "without a word")
        refuses = (
            _FLAG_FILES.search(self._file)
            or _VALIDATION.match(f"{kind}: {words}")
            or (not words and _PARALLEL_SIZE.search(self._code))
            or ((name in _REFUSING or _FLAG.search(said)) and _ABOUT_FLAGS.search(said) and _REFUSES.search(said))
        )
        what = f"{name}: {said[:300]}"
        return EngineError(
            failure_class="bad_flag_value" if refuses else "other",
            reason=f"the engine refuses its arguments: {what}" if refuses else f"the engine failed: {what}{_UNKNOWN}",
            line=text[:_LONGEST],
            line_number=number,
        )

    def _forget_last(self) -> None:
        _, last = self._found.pop()
        self._different.pop(_name(last), None)

    def _added(self, found: tuple[int, EngineError] | None, where: Where, state: ServerState) -> Failed | None:
        if found is None:
            return None
        weight, error = found
        if self._explained and weight > EXCEPTION and self._found:
            self._forget_last()
        self._explained = self._explained and weight == EXCEPTION
        if state.ready and self._found and error.line_number - self._found[-1][1].line_number > _FAR_LINES:
            self._found.clear()
        self._found.append((weight, error))
        if len(self._different) < _MOST_DIFFERENT:
            self._different.setdefault(_name(error), error)
        if len(self._found) > 1000:  # a server that fails every request must not fill the memory
            del self._found[500:-1]
        self._handling = False
        if self._dying and weight >= EXCEPTION:
            self.doomed = True
        return Failed(where=where, error=error, weight=weight)


def _name(error: EngineError) -> tuple[str, str]:
    return error.failure_class, error.reason


def _engine_error(
    pattern: ErrorPattern, match: re.Match[str], text: str, number: int, state: ServerState, language: str
) -> EngineError:
    if callable(pattern.advice):
        counsel = pattern.advice(match, state, language)
    else:
        counsel = Counsel(pattern.advice.format(**match.groupdict()), pattern.fix)
    return EngineError(
        failure_class=pattern.failure_class,
        reason=counsel.reason,
        line=text[:_LONGEST],
        line_number=number,
        fix=counsel.fix,
    )


def _died(text: str, number: int) -> EngineError:
    reason = "a process of the engine died and its log does not say why; read the lines above this one"
    return EngineError(failure_class="engine_process_died", reason=reason, line=text[:_LONGEST], line_number=number)
