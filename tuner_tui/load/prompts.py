"""Prompts of asked length that no prefix cache has seen."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from tuner_tui.load.chat import text_of

FIRST_ID = 1000
LAST_ID = 3999
"""Ids in this range are ordinary tokens in every common vocabulary: above the control tokens that some keep at
the front (up to 999), below the end of the smallest. All have four digits, so a JSON array of them is cut from a
ready-made text by position."""

_IDS = LAST_ID - FIRST_ID + 1
_WIDTH = 5  # four digits and a comma
_POOL_TOKENS = 65_536

# Short and common: one token each, with the blank before it, in the usual byte-pair vocabularies.
_TEXT = (
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work government number night point home water room "
    "mother area money story fact month lot right study book eye job word business issue side kind head house "
    "service friend father power hour game line end member law car city community name president team minute idea "
    "kid body information back parent face others level office door health person art war history party result "
    "change morning reason research girl guy moment air teacher force education foot boy age policy music process "
    "blood color nature paper form value ground land field road table court product cost class bed order author"
)
WORDS = tuple(dict.fromkeys(_TEXT.split()))


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request's prompt. `content` is a JSON array of token ids, a text, or a chat's messages."""

    content: msgspec.Raw | str | list[dict[str, Any]]
    tokens: int
    """As many as were asked for; 0 where nobody knows (a dataset's)."""

    def body(self, *, chat: bool) -> Any:
        """What stands under `prompt`, or under `messages` in a chat."""
        if chat and isinstance(self.content, str):
            return [{"role": "user", "content": self.content}]
        if not chat and isinstance(self.content, list):
            return "\n".join(filter(None, (text_of(message.get("content")) for message in self.content)))
        return self.content


class Prompts:
    """The prompts of one launch by serial number, warm-up and measured alike; no two are the same.

    Each next prompt starts with another token, in an order drawn from `seed`: the first 3,000 prompts of a launch
    share not even their first token, and after that (up to 9 million) no two share their first two. So a cache
    that answers by prefix finds nothing, whatever its block size. Prompts of a single token repeat after 3,000.
    A serial gives the same prompt in every process that has the same seed.
    """

    def __init__(self, seed: int, words: tuple[str, ...] = WORDS) -> None:
        """`words`: what texts are made of, one token each."""
        random = Random(seed)
        self._seed = seed
        self._order = random.sample(range(_IDS), _IDS)
        self._pool = b"".join(b"%d," % (FIRST_ID + random.randrange(_IDS)) for _ in range(_POOL_TOKENS))
        self._words = words

    def token_ids(self, serial: int, tokens: int) -> Prompt:
        """Exactly `tokens` (at least 1) token ids."""
        first, second = self._head(serial)
        head = b"%d,%d," % (FIRST_ID + first, FIRST_ID + second)
        if tokens <= 2:
            return Prompt(msgspec.Raw(b"[" + head[: tokens * _WIDTH - 1] + b"]"), tokens)
        parts = [head]
        rest = tokens - 2
        random = self._random(serial)
        while rest > 0:
            # What follows the head may be shared with other prompts: a prefix cache only matches from the start.
            piece = min(rest, _POOL_TOKENS // 2)
            at = int(random.random() * (_POOL_TOKENS - piece))
            parts.append(self._pool[at * _WIDTH : (at + piece) * _WIDTH])
            rest -= piece
        return Prompt(msgspec.Raw(b"[" + b"".join(parts)[:-1] + b"]"), tokens)

    def text(self, serial: int, tokens: int, words: int | None = None) -> Prompt:
        """A text of `words` common words (default: one a token), unique from 4 words on.

        How many tokens it is depends on the server's vocabulary and chat template (`load.text_length` finds out),
        and a template's own first tokens are the same for all.
        """
        first, second = self._head(serial)
        number = first * _IDS + second
        size = len(self._words)
        head = [self._words[number // size**power % size] for power in range(4)]
        count = max(1, tokens if words is None else words)
        body = self._random(serial).choices(self._words, k=max(0, count - len(head)))
        return Prompt(" ".join((head + body)[:count]), tokens)

    def _random(self, serial: int) -> Random:
        return Random((self._seed & (2**64 - 1)) << 48 | serial)

    def _head(self, serial: int) -> tuple[int, int]:
        """The numbers of the first two tokens, from 0; a pair comes once in 9 million."""
        turn, place = divmod(serial, _IDS)
        first = self._order[place]
        return first, self._order[(place + turn) % _IDS]
