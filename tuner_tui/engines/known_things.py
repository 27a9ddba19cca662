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


def _pattern(number: str) -> re.Pattern[str]:
    size, seconds = rf"{number} ?[GM]i?B\b", rf"{number} ?s(?:ec\w*)?\b"
    return re.compile(
        "(?i:"
        rf"{_MEMORY}.*{size}|{size}.*{_MEMORY}"
        rf"|\bkv[ _-]?cache.*{number} ?tokens\b"
        rf"|{number} ?tokens (?:in|of|for|fit) .{{0,12}}\bkv[ _-]?cache|token capacity\W+{number}"
        rf"|{number} ?(?:tok(?:en)?s?/s(?:ec)?\b|tokens per second)|\(tok(?:en)?s?/s\)\W+{number}"
        rf"|(?:#running-req|#queue-req|max_total_num_t\w+)\W+{number}|max(?:imum)?[ _]concurrency\b.*{number}"
        rf"|\b(?:graphs?|weights?|models?|compil\w*)\b.*{_TOOK} ?~?{seconds}|\bcaptur\w+\b.*{seconds}"
        ")"
    )


_SHAPE, _WORDING = _pattern(r"[.,]*"), _pattern(r"\d[\d.,]*")
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


def shape(text: str) -> bool:
    """Whether `text`, a line without its digits, could be about one."""
    if not _NEEDED.find_matches_as_indexes(text[:_LONGEST].lower()):
        return False
    return _SHAPE.search(text, 0, _LONGEST) is not None and _ASIDE.search(text) is None


def wording(text: str) -> bool:
    """Whether `text` gives a figure of one."""
    return _WORDING.search(text, 0, _LONGEST) is not None
