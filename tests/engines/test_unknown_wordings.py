"""A new wording of a known thing is noticed, and what is not one is passed over."""

from __future__ import annotations

import pytest

from tests.engines.test_log_variants import found

SGLANG, VLLM = "[2027-01-01 10:00:00 TP0] ", "(EngineCore pid=2) INFO 11-23 13:31:30 [core.py:1] "

REWORDED = [
    SGLANG + "KV Cache is ready: 100 tokens in 3.00 GB, avail mem=5.00 GB",
    SGLANG + "Allocated KV cache: 2094537 tokens (K 31.96 GiB, V 31.96 GiB)",
    SGLANG + "Weights loaded in 12.3 s: 2.41 GiB used, 92.35 GiB free",
    SGLANG + "CUDA graphs captured in 15.99 s (0.60 GiB)",
    SGLANG + "Token capacity: 2094537, running requests: 4096",
    SGLANG + "Decode step: 4 running, 2500.1 tok/s",
    SGLANG + "Prefill: 4 seqs, 4096 tokens, input speed (token/s): 5120.3",
    SGLANG + "Graph capture done, 35 batch sizes, 15.99 seconds",
    VLLM + "KV cache holds 349,440 tokens",
    VLLM + "Loaded model in 3.21 s, 14.99 GiB",
    VLLM + "Max concurrency at 2048 tokens per request: 170.6x",
    VLLM + "Throughput: prompt 100.2 tok/s, generation 50.1 tok/s, 4 running, 0 waiting",
    VLLM + "Captured 67 CUDA graphs in 16 s, 0.61 GiB",
    VLLM + "Room for the KV cache: 57.38 GiB",
    VLLM + "Activations peak at 1.42 GiB",
]


@pytest.mark.parametrize("line", REWORDED)
def test_a_reworded_line_is_noticed(line: str) -> None:
    document = found(line + "\n", "sglang" if line.startswith(SGLANG) else "vllm")
    assert document["unread_samples"] == [{"line_number": 1, "line": line}]


HEALTHY = [
    SGLANG + "Allocating 12.00 GB host memory for hierarchical KV cache.",
    SGLANG + "LoRA adapter loading completes: LoRARef(id=1). avail mem=25.10 GB",
    SGLANG + "Cache not flushed because there are pending requests. #queue-req: 1, #running-req: 3",
    SGLANG + "Disable prefill CUDA graph because cuda_graph_config resolved prefill.backend='disabled'",
    SGLANG + "Required memory for warmup: 44.37500047683716GB, Available memory: 139.47662353515625GB",
    SGLANG + "The context length is 4096 tokens and the KV cache is paged.",
    VLLM + "init engine (profile, create kv cache, warmup model) took 5.13 seconds",
    VLLM + "CUDA graphs can take additional 1~3 GiB memory per GPU.",
    VLLM + "Add 3 padding layers, may waste at most 6.25% KV cache memory",
    VLLM + "Encoder cache will be initialized with a budget of 16384 tokens",
    VLLM + "Filesystem type for checkpoints: OVERLAY. Checkpoint size: 14.96 GiB. Available RAM: 480.11 GiB.",
    VLLM + "SpecDecoding metrics: Mean acceptance length: nan, Accepted throughput: 0.00 tokens/s",
    VLLM + "Compiling a graph for dynamic shape takes 15.65 s",
]


@pytest.mark.parametrize("line", HEALTHY)
def test_what_speaks_of_other_things_is_passed_over(line: str) -> None:
    document = found(line + "\n", "sglang" if line.startswith(SGLANG) else "vllm")
    assert (document["unread"], document["errors"]) == (0, [])


SURVIVED = [
    # Without a level in SGLang's lines, only the words tell.
    SGLANG + "Port 30000 is already in use, trying port 30001",
    SGLANG + "The memory capacity is unbalanced. Some GPUs may be occupied by other processes. min_per_gpu_memory=70.1",
    SGLANG + "The input (5000 tokens) is longer than the model's context length (4096 tokens). Truncating the input.",
    SGLANG + "Requested token count (10 input + 9000 new) exceeds the model's context length (4096 tokens). "
    "Truncating max_new_tokens.",
    "Ignore import error when loading sglang.srt.models.mllama: cannot import name 'MllamaConfig'",
    "(APIServer pid=1) ERROR 02-11 06:21:07 [repo_utils.py:47] Error retrieving file list: Repo id must be in the form "
    "'repo_name' or 'namespace/repo_name': '/models/m'., retrying 1 of 2",
]


@pytest.mark.parametrize("line", SURVIVED)
def test_what_was_survived_is_no_error(line: str) -> None:
    assert found(line + "\n")["errors"] == []
