"""The simulated GPU and the shape of the simulated model."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU. Bandwidth and compute are data-sheet figures; `performance` says which share is reached.

    The memory is what SGLang finds free before it loads: 94.76 GiB on the machine this is calibrated to, a Hopper
    GPU with FlashAttention 3 whose figures are those of an H20.
    """

    memory_gib: float = 94.7577
    bandwidth_gb_per_s: float = 4000.0
    compute_tflops: float = 148.0
    link_gb_per_s: float = 450.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """What the timing and the memory depend on; the default is Llama-3.2-1B in bfloat16."""

    name: str = "LlamaForCausalLM"
    parameters: float = 1.2358e9
    weights_gib: float = 2.4102
    layers: int = 16
    hidden: int = 2048
    heads: int = 32
    kv_heads: int = 8
    head_dim: int = 64
    context_tokens: int = 131072

    def kv_bytes_per_token(self, kv_dtype_bytes: int) -> int:
        """Keys and values of all layers: 32 KiB in bfloat16."""
        return 2 * self.layers * self.kv_heads * self.head_dim * kv_dtype_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """How many GPUs share the work: `tensor` within a layer, `pipeline` by layers, `data` by requests."""

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
