"""Flags of SGLang and vLLM that mean the same, or nearly so."""

from __future__ import annotations

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
    ("disable-radix-cache", "enable-prefix-caching"),
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


def equivalent(flag: str, *, to: str) -> str | None:
    """The name that engine `to` (sglang or vllm) has for the other engine's `flag`; None if it has none."""
    for sglang, vllm in PAIRS:
        if to == "vllm" and sglang == flag:
            return vllm
        if to == "sglang" and vllm == flag:
            return sglang
    return None
