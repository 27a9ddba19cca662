"""What to do when memory does not suffice."""

from __future__ import annotations

import re

from tuner_tui.engines.log_state import LogState


def out_of_memory(match: re.Match[str], state: LogState, language: str) -> str:
    """One sentence. The same error has other remedies while weights are loaded, graphs are captured, or
    requests are served (the engines' own troubleshooting pages say so)."""
    sglang = language == "sglang"
    fraction = "mem-fraction-static" if sglang else "gpu-memory-utilization"
    if "warming up sampler" in match.string or "warming up pooler" in match.string:
        return f"the GPU ran out of memory in the warm-up: lower max-num-seqs or {fraction}"
    if "raph" in match.string or state.stage == "graphs":
        largest = "cuda-graph-max-bs" if sglang else "max-cudagraph-capture-size"
        return f"the GPU ran out of memory while graphs were captured: lower {fraction} or {largest}"
    if state.stage in ("weights", "distributed"):
        size = "tp-size" if sglang else "tensor-parallel-size"
        return f"the weights do not fit the GPU: take more GPUs ({size}), a quantised model, or see what else uses it"
    if state.stage in ("http", "warm-up", "ready"):
        batch = "max-running-requests or chunked-prefill-size" if sglang else "max-num-seqs or max-num-batched-tokens"
        return f"the GPU ran out of memory under load: lower {fraction}, {batch}"
    batch = "chunked-prefill-size" if sglang else "max-num-batched-tokens, max-num-seqs or max-model-len"
    return f"the GPU ran out of memory: lower {fraction} or {batch}"


def kv_too_small(match: re.Match[str], state: LogState, language: str) -> str:
    """The KV cache cannot hold the context; vLLM says what it can hold."""
    fits = re.search(r"estimated maximum model length is (\d{1,15})", match.string)
    held = fits[1] if fits else match["held"]
    length = f"set max-model-len to at most {held}" if held and int(held) > 0 else "shorten max-model-len"
    return (
        f"the KV cache cannot hold one request of {match['asked']} tokens: {length}, or give the cache more room "
        "(gpu-memory-utilization, kv-cache-dtype fp8, more GPUs)"
    )


def context_too_long(match: re.Match[str], state: LogState, language: str) -> str:
    """The context asked for is longer than the model's own."""
    limit = re.search(r"\d+", match["limit"])
    flag = "max-model-len" if language == "vllm" else "context-length"
    return f"{flag} {match['asked']} is more than the model's {limit[0] if limit else 'own'}; lower it to that"


def raise_fraction(match: re.Match[str], state: LogState, language: str) -> str:
    """SGLang has no memory left for the KV cache; new versions say which fraction would do."""
    above = re.search(r"above (\d+\.\d+)", match.string)
    target = f" above {above[1]}" if above else ""
    return (
        f"the weights leave no memory for the KV cache: raise mem-fraction-static{target}; if the GPU then runs out "
        "of memory, take more GPUs (tp-size) or a smaller model"
    )


def memory_in_use(match: re.Match[str], state: LogState, language: str) -> str:
    """vLLM finds less free memory than it is told to take."""
    return (
        f"only {match['free']} of {match['total']} GiB are free on the GPU at start: end what else uses it, or set "
        f"gpu-memory-utilization to at most {float(match['free']) / max(float(match['total']), 1e-9):.2f}"
    )
