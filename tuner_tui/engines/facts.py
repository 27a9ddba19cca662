"""What an engine said in its log, typed and with units.

GiB are 2**30 bytes, which both engines mean even where they print "GB". A figure the line does not give is None.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

Phase = Literal["start", "distributed", "weights", "draft", "kv", "compile", "graphs", "http", "warm-up", "ready"]
"""What a server does between its first word and its first answer; `draft` loads a speculative model."""

Value = bool | int | float | str | list[Any] | dict[str, Any] | None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """GPU memory as the log tells it, worst rank (most used, least available, last reported); None where it does
    not say. `kv_cache_tokens` is that of the whole server. A draft model's pool is not in it."""

    weights_gib: float | None = None
    kv_cache_gib: float | None = None
    kv_cache_tokens: int | None = None
    available_gib: float | None = None
    total_gib: float | None = None
    graphs_gib: float | None = None
    activation_gib: float | None = None


class Fix(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of the configuration that would mend an error, where that is sure.

    `set` gives flags a value, `remove` takes flags out, `docker` sets keys of the task's `docker:`.
    """

    set: dict[str, Value] = {}
    remove: tuple[str, ...] = ()
    docker: dict[str, str] = {}

    def __str__(self) -> str:
        parts = [name if value is True else f"{name} {value}" for name, value in self.set.items()]
        parts += [f"without {name}" for name in self.remove]
        parts += [f"docker.{name}: {value}" for name, value in self.docker.items()]
        return ", ".join(parts)


class EngineError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a server failed, read from its log.

    `failure_class` is one of `engines.errors.CLASSES`; `reason` one sentence with advice; `line` the log line
    that says so, as printed; `line_number` counts from 1. `fatal` is True only for a pattern after which no
    engine ever recovers, so that the launch may be ended at once.
    """

    failure_class: str
    reason: str
    line: str
    line_number: int
    fatal: bool = False
    fix: Fix | None = None


class Rank(NamedTuple):
    """Which process of a server a line comes from. `copy` numbers the data-parallel copy (DP rank); `name` holds
    all rank words, "" for a process that names none."""

    copy: int
    name: str


class Where(msgspec.Struct, frozen=True, gc=False):
    """Where a fact stands: `line_number` from 1, `at` the time as printed ("" where the line has none), `rank`."""

    line_number: int
    at: str
    rank: Rank


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
    """Base of all facts."""

    where: Where


class Started(Fact, frozen=True, kw_only=True, tag="started"):
    """The server names its own arguments (SGLang: all; vLLM: those that are no defaults), or itself (`arguments`
    None). A new one begins a new start."""

    arguments: dict[str, Value] | None = None


class Told(Fact, frozen=True, kw_only=True, tag="told"):
    """One thing about the environment. `about`: engine_version, cuda_version, attention_backend, graphs (bool),
    model_type, dtype, kv_cache_dtype, device, context_tokens, block_tokens, simulated (True)."""

    about: Literal[
        "engine_version",
        "cuda_version",
        "attention_backend",
        "graphs",
        "model_type",
        "dtype",
        "kv_cache_dtype",
        "device",
        "context_tokens",
        "block_tokens",
        "simulated",
    ]
    value: str | bool | int


class Entered(Fact, frozen=True, kw_only=True, tag="entered"):
    """A phase began, or went on: `done` of `of` steps. `bar` is a progress bar without a name, which counts only
    where graphs are being captured."""

    phase: Phase
    done: int | None = None
    of: int | None = None
    bar: bool = False


class Took(Fact, frozen=True, kw_only=True, tag="took"):
    """How long the engine itself says a phase took."""

    phase: Phase
    elapsed_s: float


class LoadBegan(Fact, frozen=True, kw_only=True, tag="load_began"):
    """Weights begin to load; the second load of one rank is that of a draft model."""

    available_gib: float | None = None


class WeightsLoaded(Fact, frozen=True, kw_only=True, tag="weights_loaded"):
    """`weights_gib` of one rank; where it is None the difference of the available memory tells it."""

    weights_gib: float | None = None
    available_gib: float | None = None
    elapsed_s: float | None = None
    model_type: str | None = None
    dtype: str | None = None


class KvCacheAllocated(Fact, frozen=True, kw_only=True, tag="kv_cache_allocated"):
    """One pool of one rank. `pool`: "" (attention), "sum" (all pools printed before it), "state" (Mamba), "final"
    (replaces what was said before), or the label that the engine gives it."""

    pool: str = ""
    tokens: int | None = None
    k_gib: float | None = None
    v_gib: float | None = None
    total_gib: float | None = None
    dtype: str | None = None


class MemoryTold(Fact, frozen=True, kw_only=True, tag="memory_told"):
    """Figures of one rank's GPU memory. `kv_blocks` are blocks of the KV cache (tokens: times the block size);
    `pools_done`: all pools of one model, the main one first, are made."""

    weights_gib: float | None = None
    kv_cache_gib: float | None = None
    kv_cache_tokens: int | None = None
    kv_blocks: int | None = None
    graphs_gib: float | None = None
    activation_gib: float | None = None
    available_gib: float | None = None
    total_gib: float | None = None
    pools_done: bool = False


class GraphsCaptured(Fact, frozen=True, kw_only=True, tag="graphs_captured"):
    """One set of graphs of one rank; `name` tells sets apart (decode, prefill, draft)."""

    name: str = ""
    elapsed_s: float | None = None
    graphs_gib: float | None = None
    available_gib: float | None = None


class Limits(Fact, frozen=True, kw_only=True, tag="limits"):
    """What the server says it can hold."""

    max_total_tokens: int | None = None
    chunked_prefill_tokens: int | None = None
    max_prefill_tokens: int | None = None
    max_running_requests: int | None = None
    context_tokens: int | None = None
    available_gib: float | None = None
    max_concurrency: float | None = None


class Running(Fact, frozen=True, kw_only=True, gc=False, tag="running"):
    """A line of a server at work, of one data-parallel copy. `kind`: a prefill or decode batch (SGLang), or the
    figures of the last ten seconds (vLLM). Shares are 0 to 1; throughputs are tokens per second."""

    kind: Literal["prefill", "decode", "interval"]
    running: int | None = None
    queued: int | None = None
    token_usage: float | None = None
    prefill_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None
    new_tokens: int | None = None
    cached_tokens: int | None = None
    cache_hit_rate: float | None = None
    accept_length: float | None = None
    graphs: bool | None = None
    preemptions: int | None = None


class Speculated(Fact, frozen=True, kw_only=True, tag="speculated"):
    """Mean number of tokens a verification step accepted, the bonus token included."""

    accept_length: float


class Retracted(Fact, frozen=True, kw_only=True, tag="retracted"):
    """Requests sent back to the queue because the KV cache was full. `so_far`: all of them since the server began,
    where the line has that number (vLLM's old engine prints every fiftieth only)."""

    requests: int
    so_far: int | None = None


class Request(Fact, frozen=True, kw_only=True, tag="request"):
    """A request answered with an HTTP `status`."""

    status: int


class Assigned(Fact, frozen=True, kw_only=True, tag="assigned"):
    """A process learns that it is the `number`th of data-parallel copy `copy`."""

    copy: int
    number: int


class Warned(Fact, frozen=True, kw_only=True, tag="warned"):
    """A line the engine itself calls a warning."""

    text: str


class Failed(Fact, frozen=True, kw_only=True, tag="failed"):
    """A line that tells of an error. `weight`: how much it explains (3 clear, 2 vague, 1 any exception, 0 only that
    something died)."""

    error: EngineError
    weight: int


class Unread(Fact, frozen=True, kw_only=True, tag="unread"):
    """A line that speaks of a known thing in words that no table has: a new version, most likely."""

    text: str


AnyFact = (
    Started
    | Told
    | Entered
    | Took
    | LoadBegan
    | WeightsLoaded
    | KvCacheAllocated
    | MemoryTold
    | GraphsCaptured
    | Limits
    | Running
    | Speculated
    | Retracted
    | Request
    | Assigned
    | Warned
    | Failed
    | Unread
)
