"""Whether a line speaks of something that the tables read, in whatever words.

A line that does, and that no row reads, is a new wording, most likely. `wording` sees a line's own words; `shape`,
which is asked first, the same without digits.
"""

from __future__ import annotations

import re

from ahocorasick_rs import AhoCorasick

_LONGEST = 1000
"""Letters that are looked at; a line of figures is short."""
_MEMORY = r"\b(?:kv|weights?|graphs?|avail\w*|activations?|memory pool|models? load\w*|load\w* (?:the )?model)\b"
_TOOK = r"(?:\bin|\btook|\btakes|\belapsed[=:]?|:)"


def _wordings(number: str) -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
    """For figures that look like `number`, in lower case: something, and anywhere after it the other. (As one pattern
    they would take the square of a line's length.)"""
    size, seconds = rf"{number} ?[gm]i?b\b", rf"{number} ?s(?:ec\w*)?\b"
    pairs = (
        (size, _MEMORY),
        (_MEMORY, size),
        (r"\bkv[ _-]?cache", rf"{number} ?tokens\b"),
        (rf"{number} ?tokens (?:in|of|for|fit) .{{0,12}}\bkv[ _-]?cache|token capacity\W+{number}", ""),
        (rf"{number} ?(?:tok(?:en)?s?/s(?:ec)?\b|tokens per second)|\(tok(?:en)?s?/s\)\W+{number}", ""),
        (rf"(?:#running-req|#queue-req|max_total_num_t\w+)\W+{number}", ""),
        (r"max(?:imum)?[ _]concurrency\b", number),
        (r"\b(?:graphs?|weights?|models?|compil\w*)\b", rf"{_TOOK} ?~?{seconds}"),
        (r"\bcaptur\w+\b", seconds),
    )
    return [(re.compile(first), re.compile(then)) for first, then in pairs]


_SHAPES, _WORDINGS = _wordings(r"[.,]*"), _wordings(r"\d[\d.,]*")
_ASIDE = re.compile(
    # Of other memory, of parts of what is read, and after the start (SGLang 0.4 to 0.5.23, vLLM 0.6 to 0.32).
    "|".join(
        (
            "object store",
            *("LoRA", "[Hh]ierarchical", "HiCache", "HiSparse", "LMCache", "UMBP", "MLX", "multimodal", "monokernel"),
            *(
                "host (?:memory|KV|source|buffer)",
                "[Rr]emote storage",
                "[Ff]ilesystem",
                "[Cc]heckpoint (?:total )?size",
            ),
            *("[Ww]eight ?[Cc]ache", "weights online", "downloading weights", "[Rr]eloading", "Committed real weights"),
            *("Graph pool ", "unified-memory-pool", "mamba checkpoint", "SWA ring", "KV sharding", "KV-canary"),
            *("Inject KV", "Storing KV", "Auto-sized", "buffers to load", "per layer, past", "Cache not flushed"),
            *("Required memory for warmup", "required memory", "available memory for KV cache is"),
            *("init engine", "Initializing model", "[Qq]uantization", "capture-safe", "can take additional"),
            *(r"[Cc]ompil\w+ (?:a |the )?(?:graph|manager)", "manager cache", "[Cc]ompiled graph", "Encoder graph"),
            *(r"[Dd]isabl\w+ (?:\S+ )?(?:\S+ )?(?:cuda|CUDA) graph", "Tried to allocate"),
            *("SpecDecoding metrics", "Speculative metrics"),
        )
    )
)


_NEEDED = AhoCorasick(
    # One of these is in everything that `_pattern` finds, and in few other lines.
    [
        *("gb", "gib", "mb", "mib", "tok", "running-req", "queue-req", "max_total_num_t", "concurrency"),
        *("graph", "weight", "model", "compil", "captur"),
    ]
)


def shape(text: str) -> tuple[int, ...]:
    """Which wordings `text`, a line without its digits, could have; empty for nearly all lines."""
    text = text[:_LONGEST]
    lower = text.lower()
    if not _NEEDED.find_matches_as_indexes(lower):
        return ()
    found = tuple(kind for kind, pair in enumerate(_SHAPES) if _fits(lower, *pair))
    return () if found and _ASIDE.search(text) else found


def wording(text: str, kinds: tuple[int, ...]) -> bool:
    """Whether `text` gives a figure in one of the wordings that its shape could have."""
    text = text[:_LONGEST].lower()
    return any(_fits(text, *_WORDINGS[kind]) for kind in kinds)


def _fits(text: str, first: re.Pattern[str], then: re.Pattern[str]) -> bool:
    match = first.search(text)
    return match is not None and then.search(text, match.end()) is not None
