"""A task as typed structs: what the user asks for, after reading and before anything is started."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Value = bool | int | float | str | list[Any] | None
"""A flag's value with its YAML type. True: the bare flag; False and None: see `engines.command`."""

Configuration = dict[str, Value]
"""One point of the parameter space: flag name as the task wrote it → value, in the task's order."""


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the structs here: immutable, named arguments, and no stray fields when read back."""


class Parameter(Frozen, frozen=True, kw_only=True):
    """A flag with the values to try. One value: fixed. `checked` is False under `unchecked:`."""

    name: str
    values: tuple[Value, ...]
    checked: bool = True


class Constraint(Frozen, frozen=True, kw_only=True):
    """An expression over flag names (dashes written as underscores) and `gpus`; kept where true."""

    text: str


class ParameterSpace(Frozen, frozen=True, kw_only=True):
    """All values the task allows.

    `linked` is a group of alternatives, each a partial configuration, that vary together; it is one
    more axis of the grid.
    """

    parameters: tuple[Parameter, ...] = ()
    linked: tuple[Configuration, ...] = ()
    constraints: tuple[Constraint, ...] = ()


class Benchmark(Frozen, frozen=True, kw_only=True):
    """The traffic. A level is one of `traffic` at one of `concurrency` or of `request_rate` (one of the two is empty).
    Both are where the highest that keeps the limits is looked for: `seek`.

    `api_key_variable` is an environment variable's name. `max_in_flight` bounds the requests of a rate.
    """

    traffic: tuple[str, ...]
    concurrency: tuple[int, ...] = ()
    request_rate: tuple[float, ...] = ()
    seek: Literal["concurrency", "rate"] | None = None
    arrivals: Literal["constant", "poisson"] = "constant"
    max_in_flight: int = 1024
    endpoint: Literal["completions", "chat"] = "completions"
    dataset: str | None = None
    """Absolute path of the file that the scenario `dataset` takes its prompts from."""
    api_key_variable: str | None = None
    tool: Literal["builtin", "genai-bench"] = "builtin"
    max_requests: int | None = None
    max_time_s: float | None = None
    request: dict[str, Any] = {}
    cpus: str | None = None


class Objective(Frozen, frozen=True, kw_only=True):
    """What is best: the mean over levels (or at `level` alone) of a metric's statistic.

    `metric` is one of e2e, ttft, tpot (seconds), output_tokens_per_s_per_gpu or good_requests_per_s_per_gpu.
    """

    name: str
    direction: Literal["minimize", "maximize"]
    metric: str
    statistic: str = "mean"
    level: str | None = None

    @property
    def gates(self) -> bool:
        """Whether limits are held against each configuration as a whole. For goodput they say which requests count."""
        return self.metric != "good_requests_per_s_per_gpu"


class Limit(Frozen, frozen=True, kw_only=True):
    """A service-level objective: at every level, the statistic of ttft, tpot or e2e is at most `most_s` seconds."""

    metric: Literal["ttft", "tpot", "e2e"]
    statistic: str
    most_s: float

    @property
    def name(self) -> str:
        """`ttft.p99`."""
        return f"{self.metric}.{self.statistic}"


class Search(Frozen, frozen=True, kw_only=True):
    """How the space is walked, and how often each configuration is launched.

    `min_difference`: a relative difference too small to matter; nothing that near the best is called beaten.
    `budget_s`: no further planned launch begins that would not end within that time. `baseline`: the fixed flags alone
    are measured too, first in each block.
    """

    strategy: Literal["grid"] = "grid"
    launches: int = 1
    min_difference: float = 0.0
    budget_s: float | None = None
    baseline: bool = False


class DockerOptions(Frozen, frozen=True, kw_only=True):
    """The task's `docker:` section: how the container is made."""

    command: tuple[str, ...] | None = None
    mounts: tuple[str, ...] = ()
    shm_size_bytes: int | None = None
    memory_bytes: int | None = None
    ipc: str | None = None
    cpuset: str | None = None
    network: str | None = None
    runtime: str | None = None
    user: str | None = None
    labels: dict[str, str] = {}
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    ulimits: dict[str, int] = {}
    pull: Literal["missing", "always", "never"] = "missing"


class ProcessOptions(Frozen, frozen=True, kw_only=True):
    """The task's `process:` section: how the command on this machine is made."""

    command: tuple[str, ...] | None = None
    cpus: str | None = None
    cwd: str | None = None
    """None: the task file's folder."""


class Model(Frozen, frozen=True, kw_only=True):
    """Where the weights are. Exactly one reading of the task's `model:` holds.

    folder: `path` is a folder on this machine. hub: `hub_id` is a Hugging Face id whose cache is used.
    missing: a bare name that is not under `models_dir`; `path` is where it was looked for.
    name: passed to the engine as it is (the simulated engine needs no weights).
    """

    given: str
    kind: Literal["folder", "hub", "missing", "name"]
    path: str | None = None
    hub_id: str | None = None


class Task(Frozen, frozen=True, kw_only=True):
    """A whole task file. `gpus` is None where the file says nothing: all that are found."""

    name: str
    file: str
    engine: Literal["sglang", "vllm", "simulated"]
    model: Model
    space: ParameterSpace
    benchmark: Benchmark
    objective: Objective
    image: str | None = None
    backend: Literal["docker", "process"] = "docker"
    gpus: tuple[int, ...] | None = None
    env: dict[str, str | None] = {}
    """Name → value, or None: the value is taken from the user's environment and never written down."""
    docker: DockerOptions = DockerOptions()
    process: ProcessOptions = ProcessOptions()
    limits: tuple[Limit, ...] = ()
    search: Search = Search()
    start_timeout_s: float = 1200.0
    """How long one launch may take from start to ready."""
    description: str = ""
