"""A file of prompts as traffic: JSON lines or a JSON array (ShareGPT's too), or plain text with one prompt a line."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec

from tuner_tui.load.chat import messages_of, other_parts, text_of
from tuner_tui.load.prompts import Prompt

EXPECTED = (
    'an object with "prompt" (a text), "messages" (a chat) or "conversations" (ShareGPT), and perhaps "output_tokens"'
)
_ENOUGH = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt, and how long its answer shall be: in tokens, or as long as the recorded one; neither: as long as the
    model likes."""

    prompt: Prompt
    output_tokens: int | None
    answer: str | None = None


class Dataset:
    """The prompts of a file in an order drawn from `seed` (None: as they stand). When all were used they come again."""

    def __init__(self, path: Path, seed: int | None) -> None:
        """Raises ValueError with file, line and what was expected; also for a file that cannot be read."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
        read = list(_entries(path, data.removeprefix(BOM_UTF8)))
        self._entries = [each for each in read if each is not None]
        self._path = path
        self._unasked = len(read) - len(self._entries)
        if not self._entries:
            why = ": no question is asked in any of its chats" if read else ""
            raise ValueError(f"{path}: holds no prompts{why}; expected a line each: {EXPECTED}")
        if seed is not None:
            Random(seed).shuffle(self._entries)

    def __len__(self) -> int:
        """Prompts until they come again."""
        return min(len(self._entries), _ENOUGH)

    @property
    def notes(self) -> tuple[str, ...]:
        """What its user should know of how it is read, a sentence each."""
        if not self._unasked:
            return ()
        of_all = f"{self._unasked:,} of {self._unasked + len(self._entries):,} entries"
        return (f"{self._path}: {of_all} are left out: chats in which no question is asked",)

    @property
    def answers(self) -> list[str]:
        """The recorded answers that tell how long the outputs shall be, in the order in which they are sent."""
        return [each.answer for each in self._entries if each.answer is not None and each.output_tokens is None]

    def check(self, endpoint: Literal["completions", "chat"], request: Mapping[str, Any] | None = None) -> None:
        """Raises ValueError with one sentence where the completions endpoint could not be sent an entry, or would cut
        its output short: it ends one after 16 tokens where it is not told otherwise (OpenAI's default, vLLM's and
        SGLang's too). `request`: the keys that are sent along."""
        if endpoint == "chat":
            return
        chats = [each.prompt.content for each in self._entries if isinstance(each.prompt.content, list)]
        others = [kinds for each in chats if (kinds := other_parts(each))]
        if others:
            of_all = f"{len(others):,} of {len(self._entries):,} entries"
            raise ValueError(
                f"{self._path}: {of_all} hold more than text ({', '.join(sorted(set().union(*others)))}), which the "
                "completions endpoint does not take; take endpoint: chat"
            )
        endless = sum(each.answer is None and each.output_tokens is None for each in self._entries)
        if endless and "max_tokens" not in (request or {}):
            of_all = f"{endless:,} of {len(self._entries):,} entries"
            raise ValueError(
                f"{self._path}: {of_all} do not say how long the output shall be; the completions endpoint would end "
                'it after 16 tokens; give each "output_tokens" (or the recorded answer), or take endpoint: chat'
            )

    def write(self, path: Path) -> None:
        """The first entries, more than a launch sends, for processes that need not read a file of a million: in this
        order, as JSON lines. Raises OSError."""
        path.write_bytes(b"".join(_line(each) for each in self._entries[:_ENOUGH]))

    def entry(self, serial: int) -> Entry:
        return self._entries[serial % len(self._entries)]


def _entries(path: Path, data: bytes) -> Iterator[Entry | None]:
    """None for a chat in which no question is asked."""
    if path.suffix.lower() == ".txt":
        # Not `splitlines`, to which more ends a line than to an editor.
        lines = [line.removesuffix("\r") for line in data.decode("utf-8", "replace").split("\n")]
        yield from (Entry(Prompt(line, 0), None) for line in lines if line.strip())
    elif data.lstrip()[:1] == b"[":
        try:
            documents: list[Any] = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: not JSON: {error}") from error
        yield from (_entry(f"{path}: entry {number}", each) for number, each in enumerate(documents, 1))
    else:
        yield from _of_lines(path, data)


def _of_lines(path: Path, data: bytes) -> Iterator[Entry | None]:
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            document = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}:{number}: expected {EXPECTED}; not JSON: {error}") from error
        yield _entry(f"{path}:{number}", document)


def _entry(place: str, document: Any) -> Entry | None:
    if isinstance(document, str) and document:
        return Entry(Prompt(document, 0), None)
    if not isinstance(document, dict):
        raise ValueError(f"{place}: expected {EXPECTED}")
    output = next((document[key] for key in ("output_tokens", "max_tokens") if key in document), None)
    if output is not None and (not isinstance(output, int) or isinstance(output, bool) or output < 1):
        raise ValueError(f"{place}: output_tokens is a whole number from 1, found {output!r}")
    prompt = document.get("prompt")
    if isinstance(prompt, str) and prompt:
        return Entry(Prompt(prompt, 0), output)
    try:
        messages = messages_of(document)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    if messages is None:
        raise ValueError(f"{place}: expected {EXPECTED}")
    # What the model is to answer is the last turn of the person.
    asked = list(messages)
    while asked and asked[-1]["role"] == "assistant":
        asked.pop()
    if not asked:
        return None
    answer = text_of(messages[len(asked)]["content"]) if len(asked) < len(messages) else None
    return Entry(Prompt(asked, 0), output, answer or None)


def _line(entry: Entry) -> bytes:
    content = entry.prompt.content
    document: dict[str, Any] = {"prompt": content}
    if isinstance(content, list):
        recorded = [] if entry.answer is None else [{"role": "assistant", "content": entry.answer}]
        document = {"messages": [*content, *recorded]}
    if entry.output_tokens is not None:
        document["output_tokens"] = entry.output_tokens
    return msgspec.json.encode(document) + b"\n"
