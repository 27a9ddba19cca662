"""Flags of SGLang and vLLM that mean the same, or nearly so."""

from __future__ import annotations

import msgspec

PAIRS: tuple[tuple[str, str], ...] = (
    # SGLang, vLLM
    ("mem-fraction-static", "gpu-memory-utilization"),
    ("max-running-requests", "max-num-seqs"),
    ("chunked-prefill-size", "max-num-batched-tokens"),
    ("max-prefill-tokens", "max-num-batched-tokens"),
    ("context-length", "max-model-len"),
    ("tp-size", "tensor-parallel-size"),
    ("pp-size", "pipeline-parallel-size"),
    ("dp-size", "data-parallel-size"),
    ("ep-size", "enable-expert-parallel"),
    ("dcp-size", "decode-context-parallel-size"),
    ("page-size", "block-size"),
    ("disable-radix-cache", "no-enable-prefix-caching"),
    ("schedule-policy", "scheduling-policy"),
    ("disable-cuda-graph", "enforce-eager"),
    ("cuda-graph-max-bs-decode", "max-cudagraph-capture-size"),
    ("cuda-graph-bs-decode", "cudagraph-capture-sizes"),
    ("random-seed", "seed"),
    ("tokenizer-path", "tokenizer"),
    ("model-path", "model"),
    ("moe-runner-backend", "moe-backend"),
    ("moe-a2a-backend", "all2all-backend"),
    ("enable-two-batch-overlap", "enable-dbo"),
    ("speculative-algorithm", "spec-method"),
    ("speculative-draft-model-path", "spec-model"),
    ("speculative-num-draft-tokens", "spec-tokens"),
    ("max-queued-requests", "max-num-queued-reqs"),
    ("max-loras-per-batch", "max-loras"),
    ("json-model-override-args", "hf-overrides"),
)


_DIFFERS = {
    # SGLang's flag → why a value must not be carried over as it is, in words that are true in both directions.
    "mem-fraction-static": "SGLang's share leaves activations and graphs out, vLLM's holds them",
    "chunked-prefill-size": "SGLang's bounds prompts, vLLM's all tokens of a step",
    "max-prefill-tokens": "SGLang's bounds prompts, vLLM's all tokens of a step",
    "speculative-algorithm": "each has its own names for the methods",
    "speculative-num-draft-tokens": "SGLang counts the token before the guesses, too",
}

OPPOSITE = "the opposite"
"""What a counterpart differs in that is to be switched on where the other is switched off."""


class Counterpart(msgspec.Struct, frozen=True):
    """What the other engine has for a flag: its name, maybe with `no-` before it. `differs` says in what they are not
    the same; "" where a value means the same in both."""

    name: str
    differs: str = ""

    def words(self, quote: str = "") -> str:
        """The name, between two of `quote`, and in what it differs."""
        return f"{quote}{self.name}{quote}" + (f": {self.differs}" if self.differs else "")


def counterpart(name: str, *, to: str) -> Counterpart | None:
    """What engine `to` (sglang or vllm) has for the other engine's flag `name`; None if it has nothing. A `no-` before
    the name counts: what only its contrary has an equal for gets that one, as the opposite."""
    if same := _equal(name, to):
        return same
    contrary = name.removeprefix("no-") if name.startswith("no-") else f"no-{name}"
    opposite = _equal(contrary, to)
    return Counterpart(opposite.name, OPPOSITE) if opposite else None


def _equal(name: str, to: str) -> Counterpart | None:
    for sglang, vllm in PAIRS:
        here, there = (sglang, vllm) if to == "vllm" else (vllm, sglang)
        if here == name:
            return Counterpart(there, _DIFFERS.get(sglang, ""))
    return None
