"""Lines of a log that are no errors and yet matter for speed: something runs otherwise than one would think.

The wordings are from SGLang 0.4 to 0.5.23 and vLLM 0.6 to 0.33. SGLang's lines carry no level, so the words alone tell.
"""

from __future__ import annotations

import re

import msgspec

from tuner_tui.engines.log_lines import readable

_LONGEST_LINE = 4_000


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """`name` of the remark, the `line` that says it (as far as 300 characters), `advice` in one clause."""

    name: str
    line: str
    advice: str


_ROWS: tuple[tuple[str, re.Pattern[bytes], str], ...] = (
    (
        "attention_fallback",
        re.compile(
            rb"(?i)[^\n]*(?:attention|flashinfer|flash.?attn|flashmla|fa3)[^\n]*\b(?:fall(?:s|ing)? ?back|"
            rb"using (?:the )?(?:xformers|sdpa|torch_native|triton) (?:attention )?(?:backend )?instead)[^\n]*"
            rb"|[^\n]*\bfall(?:s|ing)? ?back to [^\n]*(?:attention|attn|xformers|sdpa|torch.native)[^\n]*"
            rb"|[^\n]*Cannot use FlashAttention[^\n]*"
        ),
        "the attention kernel is not the one this GPU could use: install what is missing, or set attention-backend",
    ),
    (
        "default_kernel_config",
        re.compile(rb"[^\n]*Using default [^\n]*config[^\n]*sub-?optimal[^\n]*"),
        "no tuned kernel configuration for this GPU and model: tune one with the engine's own script",
    ),
    (
        "no_custom_all_reduce",
        re.compile(rb"(?i)[^\n]*custom all-?_?reduce[^\n]*(?:is disabled|failed|not supported)[^\n]*"),
        "the ranks talk by NCCL alone: expected on PCIe, a loss on NVLink",
    ),
    (
        "flag_changed",
        re.compile(
            rb"(?i)[^\n]*\b(?:max.running.requests|chunked.prefill(?:.size)?|max.prefill.tokens|mem.fraction.static|"
            rb"max.total.tokens|page.size|(?:cuda.)?graph.max.bs|max.num.seqs|max.num.batched.tokens|overlap.scheduler?|"
            rb"radix.cache|block.size)\b[^\n=]{0,60}\b(?:adjusted|reduced|overrid\w+|overwritten|lowered|capped|"
            rb"turned off|is disabled|not supported)\b[^\n]*"
        ),
        "the engine changed a flag by itself: the configuration measured is not quite the one asked for",
    ),
)
_MAYBE = re.compile(
    rb"(?i)back|sub-?optimal|Cannot use Flash|reduce|adjusted|overrid|overwritten|lowered|capped|turned|disabled|"
    rb"not supported"
)
"""Words that one of the patterns needs: most lines are passed over by this alone."""


class RemarkReader:
    """Fed with a log's bytes in chunks of any size; keeps the first line of each remark. Never raises."""

    def __init__(self) -> None:
        self._found: dict[str, Remark] = {}
        self._rest = b""

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """In the order of the log."""
        return tuple(self._found.values())

    def feed(self, data: bytes) -> None:
        """The next bytes of the log; a line counts once it has ended."""
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest[-_LONGEST_LINE:]
        if not newline or _MAYBE.search(whole) is None:
            return
        for line in whole.split(b"\n"):
            # What the engine quotes of its own arguments or of a request says nothing of what happened.
            if (
                _MAYBE.search(line) is None
                or len(line) > _LONGEST_LINE
                or b"server_args=" in line
                or b" HTTP/1" in line
            ):
                continue
            for name, pattern, advice in _ROWS:
                if name not in self._found and (match := pattern.search(line)):
                    words = readable(match[0]).strip()[:300]
                    self._found[name] = Remark(name=name, line=words, advice=advice)
