"""What to do when memory does not suffice."""

from __future__ import annotations

import math
import re

from tuner_tui.engines.counsel import Counsel
from tuner_tui.engines.facts import Fix
from tuner_tui.engines.server_state import ServerState

_FRACTION = {"sglang": "mem-fraction-static", "vllm": "gpu-memory-utilization"}
_GIB_IN = {"bytes": 2**-30, "KiB": 2**-20, "MiB": 2**-10, "GiB": 1.0}
_REFUSED = re.compile(
    r"Tried to allocate (?P<wanted>\d{1,9}(?:\.\d+)?) (?P<wanted_unit>bytes|[KMG]iB)\b.*?"
    r" of +which (?P<free>\d{1,9}(?:\.\d+)?) (?P<free_unit>bytes|[KMG]iB) is free"
)
_LARGEST_GRAPH, _LARGEST_GRAPH_BEFORE = "cuda-graph-max-bs-decode", "cuda-graph-max-bs"
LARGEST_GRAPH = f"{_LARGEST_GRAPH} ({_LARGEST_GRAPH_BEFORE} up to about SGLang 0.5.18)"
"""SGLang's flag where nothing tells which of both an engine takes."""
_GPUS = {"sglang": "tp-size", "vllm": "tensor-parallel-size"}


def _flag(names: dict[str, str], language: str) -> str:
    """The flag's name; both where the engine is not known."""
    return names.get(language) or " / ".join(names.values())


def _largest_graph(state: ServerState) -> str:
    """By the arguments that the engine printed: for some versions it has both names, and of these the new one stays."""
    for flag in (_LARGEST_GRAPH, _LARGEST_GRAPH_BEFORE):
        if flag.replace("-", "_") in state.arguments:
            return flag
    return LARGEST_GRAPH


def out_of_memory(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """The same error has other remedies while weights are loaded, graphs are captured, or requests are served (the
    engines' own troubleshooting pages say so)."""
    fraction = _flag(_FRACTION, language)
    text = match.string
    if asked := _REFUSED.search(text):
        wanted, free = (float(asked[name]) * _GIB_IN[asked[f"{name}_unit"]] for name in ("wanted", "free"))
        if free > 2 * wanted and free > wanted + 1:
            return Counsel(
                f"the GPU refused {wanted:.2f} GiB while {free:.2f} were free: not its size but a limit on the process "
                "is in the way (WSL's or the container's main memory, MPS, a virtual GPU); raise that"
            )
    if "warming up sampler" in text or "warming up pooler" in text:
        return Counsel(f"the GPU ran out of memory in the warm-up: lower max-num-seqs or {fraction}")
    if "graph failed" in text or "graph capture" in text or state.stage == "graphs":
        largest = {"sglang": _largest_graph(state), "vllm": "max-cudagraph-capture-size"}
        return Counsel(
            f"the GPU ran out of memory while graphs were captured: lower {fraction} or {_flag(largest, language)}"
        )
    if state.stage in ("weights", "draft", "distributed"):
        size = _flag(_GPUS, language)
        return Counsel(
            f"the weights do not fit the GPU: take more GPUs ({size}), a quantised model, or see what else uses it"
        )
    if state.stage in ("http", "warm-up", "ready"):
        batch = {
            "sglang": "max-running-requests or chunked-prefill-size",
            "vllm": "max-num-seqs or max-num-batched-tokens",
        }
        return Counsel(f"the GPU ran out of memory under load: lower {fraction}, {_flag(batch, language)}")
    if state.stage == "kv" and language == "sglang":
        return Counsel(f"the GPU ran out of memory while the KV cache was allocated: lower {fraction}")
    batch = {"sglang": "chunked-prefill-size", "vllm": "max-num-batched-tokens, max-num-seqs or max-model-len"}
    return Counsel(f"the GPU ran out of memory: lower {fraction} or {_flag(batch, language)}")


def no_blocks(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """vLLM has nothing left for the KV cache; on a CPU another setting says how much there is."""
    if space := re.search(r"VLLM_\w+_KVCACHE_SPACE", match.string):
        return Counsel(f"no memory is left for the KV cache: raise {space[0]} in `env:`")
    return Counsel(
        "no memory is left for the KV cache: raise gpu-memory-utilization, lower max-num-batched-tokens, or take more "
        "GPUs (tensor-parallel-size)"
    )


def kv_too_small(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """The KV cache cannot hold the context; vLLM says what it can hold."""
    fits = re.search(r"estimated maximum model length is (\d{1,15})", match.string)
    held = int(fits[1] if fits else match["held"] or 0)
    length = f"set max-model-len to at most {held}" if held > 0 else "shorten max-model-len"
    return Counsel(
        f"the KV cache cannot hold one request of {match['asked']} tokens: {length}, or give the cache more room "
        "(gpu-memory-utilization, kv-cache-dtype fp8, more GPUs)",
        Fix(set={"max-model-len": held}) if held > 0 else None,
    )


def context_too_long(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """The context asked for is longer than the model's own."""
    limit = re.search(r"\d{1,15}", match["limit"])
    flag = "max-model-len" if "max_model_len" in match[0] else "context-length"
    return Counsel(
        f"{flag} {match['asked']} is more than the model's {limit[0] if limit else 'own'}; lower it to that",
        Fix(set={flag: int(limit[0])}) if limit else None,
    )


def raise_fraction(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """SGLang has no memory left for the KV cache; new versions say which fraction would do."""
    above = re.search(r"above (\d\.\d{1,9})", match.string)
    target = f" above {above[1]}" if above else ""
    enough = math.floor(float(above[1]) * 100 + 1) / 100 if above else 1.0
    return Counsel(
        f"the weights leave no memory for the KV cache: raise mem-fraction-static{target}; if the GPU then runs out "
        "of memory, take more GPUs (tp-size) or a smaller model",
        Fix(set={"mem-fraction-static": enough}) if enough < 1 else None,
    )


def memory_in_use(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """vLLM finds less free memory than it is told to take."""
    free, total = float(match["free"]), float(match["total"])
    share = math.floor(free / total * 100) / 100 if total > 0 else 0.0
    return Counsel(
        f"only {match['free']} of {match['total']} GiB are free on the GPU at start: end what else uses it, or set "
        f"gpu-memory-utilization to at most {share:.2f}",
        Fix(set={"gpu-memory-utilization": share}) if 0 < share < 1 else None,
    )


def host_memory(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """vLLM on a CPU finds less main memory than it is told to take; the flag for it is the GPU's."""
    free, total = float(match["free"]), float(match["total"])
    share = math.floor(free / total * 100) / 100 if total > 0 else 0.0
    start = "on startup" in match[0]
    how = f"set gpu-memory-utilization to at most {share:.2f}" if start else "lower kv-cache-memory-bytes"
    return Counsel(
        f"only {match['free']} of {match['total']} GiB of main memory are free: end what else uses it, or {how}",
        Fix(set={"gpu-memory-utilization": share}) if start and 0 < share < 1 else None,
    )


def too_many_states(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """Each running request of a hybrid model needs one block of its state cache."""
    blocks = int(match["blocks"])
    return Counsel(
        f"the state cache holds only {blocks} requests: lower max-num-seqs to that, or raise gpu-memory-utilization",
        Fix(set={"max-num-seqs": blocks}) if blocks > 0 else None,
    )


def batched_tokens(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """vLLM: the tokens of one step must hold all sequences, or without chunked prefill one whole request."""
    need = int(match["need"])
    return Counsel(
        f"{match['why']}; raise max-num-batched-tokens to at least {need}", Fix(set={"max-num-batched-tokens": need})
    )


def not_divisible(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """A dimension of the model is split evenly over the tensor-parallel GPUs."""
    return Counsel(
        f"a dimension of the model ({match['size']}) cannot be split over {match['parts']} GPUs: choose a "
        f"{_flag(_GPUS, language)} that divides it"
    )


def quantised_shape(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """Quantised weights are split over GPUs in whole blocks."""
    flag = _flag(_GPUS, language)
    return Counsel(
        f"the quantised weights cannot be split over that many GPUs: lower {flag}, or share experts out (EP)"
    )


def heads(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """Attention heads are split evenly over the tensor-parallel GPUs."""
    number, asked = int(match["heads"]), int(match["tp"])
    fits = next((size for size in range(min(asked, number), 0, -1) if number % size == 0), 1)
    flag = _flag(_GPUS, language or "vllm")
    return Counsel(
        f"the model's {number} attention heads cannot be split over {asked} GPUs: "
        f"choose a {flag} that divides {number}",
        Fix(set={flag: fits}),
    )
