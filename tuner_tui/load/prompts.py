"""Prompts of exact length that no prefix cache has seen."""

from __future__ import annotations

from itertools import count
from random import Random

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
_WORDS = tuple(dict.fromkeys(_TEXT.split()))


class Prompts:
    """The prompts of one launch, warm-up and measured alike; no two are the same.

    Each next prompt starts with another token, in an order drawn from `seed`: the first 3,000 prompts of a launch
    share not even their first token, and after that (up to 9 million) no two share their first two. So a cache
    that answers by prefix finds nothing, whatever its block size. Prompts of a single token repeat after 3,000.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._serial = count()
        self._order = self._random.sample(range(_IDS), _IDS)
        self._pool = b"".join(b"%d," % (FIRST_ID + self._random.randrange(_IDS)) for _ in range(_POOL_TOKENS))

    def token_ids(self, tokens: int) -> bytes:
        """The next prompt: a JSON array of `tokens` token ids."""
        first, second = self._head()
        head = b"%d,%d," % (FIRST_ID + first, FIRST_ID + second)
        if tokens <= 2:
            return b"[" + head[: tokens * _WIDTH - 1] + b"]"
        parts = [head]
        rest = tokens - 2
        while rest > 0:
            # What follows the head may be shared with other prompts: a prefix cache only matches from the start.
            piece = min(rest, _POOL_TOKENS // 2)
            at = self._random.randrange(_POOL_TOKENS - piece)
            parts.append(self._pool[at * _WIDTH : (at + piece) * _WIDTH])
            rest -= piece
        return b"[" + b"".join(parts)[:-1] + b"]"

    def text(self, tokens: int) -> str:
        """The next prompt as text of *about* `tokens` tokens: one common word a token; unique from 4 on.

        The true count depends on the server's vocabulary and chat template, and a template's own first tokens are
        the same for all. Use token ids where exactness matters.
        """
        first, second = self._head()
        serial = first * _IDS + second
        size = len(_WORDS)
        head = [_WORDS[serial // size**power % size] for power in range(4)]
        body = self._random.choices(_WORDS, k=max(0, tokens - len(head)))
        return " ".join((head + body)[: max(1, tokens)])

    def _head(self) -> tuple[int, int]:
        """The numbers of the first two tokens, from 0; a pair comes once in 9 million."""
        serial = next(self._serial)
        turn, place = divmod(serial, _IDS)
        first = self._order[place]
        return first, self._order[(place + turn) % _IDS]
