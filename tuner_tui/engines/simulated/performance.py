"""How long a step of the simulated engine takes.

A *step* is one forward pass over the running batch. All times in seconds, all sizes in bytes.

Decode, B requests holding K tokens of KV cache together:

    t = max(t_memory, t_compute) + t_reduce + STEP_S + B * REQUEST_S [+ layers * LAYER_LAUNCH_S without a graph]
    t_memory  = (weights + K * kv_bytes_per_token) / (tp * bandwidth * MEMORY_SHARE)
    t_compute = 2 * parameters * B / (tp * flops * COMPUTE_SHARE)

Prefill, N new tokens whose attention reaches over C token pairs:

    t = max(t_memory, t_compute) + t_reduce + PREFILL_STEP_S + B * REQUEST_S
    t_compute = (2 * parameters * N + 4 * layers * hidden * C) / (tp * flops * COMPUTE_SHARE)

A mixed step (`enable-mixed-chunk`) is a prefill whose batch also holds the running requests: their B tokens join N
and their K tokens are read.

Tensor parallelism: two all-reduces a layer over T tokens (T = N + B),

    t_reduce = 2 * layers * (REDUCE_S + 2 * (tp - 1) / tp * T * hidden * 2 bytes / link)

Pipeline parallelism: the stages follow one another, so a step takes as long, plus HOP_S for each border.

Handling: before the scheduler sees a request, an engine parses, tokenises and hands it over. All requests in the engine
share one processor core for that and for the streaming of their answers, so that with n of them, this one included,
it takes

    n * (HANDLING_S + a log-normal (median HANDLING_SPREAD_S, sigma HANDLING_SIGMA, at most HANDLING_SPREAD_MOST_S))

The constants are fitted to one measured run: SGLang 0.5.2 with Llama-3.2-1B on one Hopper GPU of 94.76 GiB, traffic of
100 tokens in and out at concurrency 1 and 4 (p50 and p75 of TTFT, TPOT and end-to-end latency). That run's client
shared the machine with the engine, so what HANDLING_S covers is partly the client's. The form is the usual
roofline: decoding reads all weights and the batch's KV cache once a step, prefill is bound by arithmetic.
`benchmarks/simulated_calibration.py` compares target and measurement.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from tuner_tui.engines.simulated.hardware import GIB, Gpu, ModelShape, Parallelism

MEMORY_SHARE = 0.8
COMPUTE_SHARE = 0.7
STEP_S = 0.69e-3
REQUEST_S = 0.025e-3
LAYER_LAUNCH_S = 0.19e-3
PREFILL_STEP_S = 1.2e-3
REDUCE_S = 6e-6
HOP_S = 60e-6
HANDLING_S = 5.15e-3
HANDLING_SPREAD_S = 0.6e-3
HANDLING_SIGMA = 1.4
HANDLING_SPREAD_MOST_S = 15e-3


@dataclass(frozen=True, slots=True)
class Performance:
    """The model above for one GPU type, model and parallelism; `kv_dtype_bytes` is 2 or 1 (fp8)."""

    gpu: Gpu
    shape: ModelShape
    parallelism: Parallelism
    kv_dtype_bytes: int = 2

    def decode_s(self, batch: int, kv_tokens: int, *, graph: bool = True) -> float:
        """One decode step of `batch` requests that hold `kv_tokens` together."""
        flops = 2 * self.shape.parameters * batch
        launches = 0.0 if graph else self.shape.layers * LAYER_LAUNCH_S
        return self._pass_s(flops, kv_tokens, batch) + STEP_S + batch * REQUEST_S + launches

    def prefill_s(self, new_tokens: int, attended: int, batch: int, kv_tokens: int = 0) -> float:
        """One prefill step: `new_tokens` of `batch` requests, attending to `attended` pairs of tokens in all.

        `kv_tokens`: what running requests in the same step read (mixed chunks), beside the prompts themselves.
        """
        shape = self.shape
        flops = 2 * shape.parameters * new_tokens + 4 * shape.layers * shape.hidden * attended
        return self._pass_s(flops, kv_tokens, new_tokens) + PREFILL_STEP_S + batch * REQUEST_S

    def _pass_s(self, flops: float, kv_tokens: int, tokens: int) -> float:
        gpu, shape, tensor = self.gpu, self.shape, self.parallelism.tensor
        read = shape.weights_gib * GIB + kv_tokens * shape.kv_bytes_per_token(self.kv_dtype_bytes)
        memory_s = read / (tensor * gpu.bandwidth_gb_per_s * 1e9 * MEMORY_SHARE)
        compute_s = flops / (tensor * gpu.compute_tflops * 1e12 * COMPUTE_SHARE)
        hops_s = (self.parallelism.pipeline - 1) * HOP_S
        return max(memory_s, compute_s) + self._reduce_s(tokens) + hops_s

    def _reduce_s(self, tokens: int) -> float:
        tensor = self.parallelism.tensor
        if tensor == 1:
            return 0.0
        moved = 2 * (tensor - 1) / tensor * tokens * self.shape.hidden * 2
        return 2 * self.shape.layers * (REDUCE_S + moved / (self.gpu.link_gb_per_s * 1e9))


def handling_s(chance: random.Random, requests: int) -> float:
    """How long a request takes to the scheduler when `requests` are in the engine, itself included."""
    spread_s = chance.lognormvariate(math.log(HANDLING_SPREAD_S), HANDLING_SIGMA)
    return requests * (HANDLING_S + min(spread_s, HANDLING_SPREAD_MOST_S))


def step_factor(chance: random.Random, sigma: float) -> float:
    """A log-normal factor around 1 (its median), or exactly 1 for sigma 0."""
    return chance.lognormvariate(0.0, sigma) if sigma > 0 else 1.0
