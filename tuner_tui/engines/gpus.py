"""How many GPUs a configuration occupies."""

from __future__ import annotations

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.engines.registry import engine
from tuner_tui.task.model import Configuration


def gpus_needed(engine_name: str, configuration: Configuration) -> int:
    """GPUs that the configuration's parallel sizes multiply to, at least 1.

    Tensor × pipeline × data parallel, for vLLM also prefill context parallel. SGLang's data-parallel
    attention lies inside the tensor-parallel group and takes no GPUs of its own. A size that is not a
    positive integer counts as 1; `check` has complained of it.
    """
    known = catalogue(engine(engine_name).catalogue)
    sizes: dict[str, object] = {}
    for name, value in configuration.items():
        flag = known.find(name)
        sizes[flag.name if flag else name] = value

    def size(name: str) -> int:
        value = sizes.get(name)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1

    if engine_name == "vllm":
        copies = size("data-parallel-size-local") if "data-parallel-size-local" in sizes else size("data-parallel-size")
        group = size("tensor-parallel-size") * size("pipeline-parallel-size") * size("prefill-context-parallel-size")
        return group * copies
    copies = 1 if sizes.get("enable-dp-attention") is True else size("dp-size")
    return size("tp-size") * size("pp-size") * copies
