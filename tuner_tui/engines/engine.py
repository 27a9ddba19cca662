"""What is known of an engine, as data."""

from __future__ import annotations

from typing import Literal

import msgspec


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """One inference engine.

    `docker_command` and `process_command` are the prefix before the flags, where the task names none.
    `model_flag` is the flag that takes the model (`--model-path`), or None where it is the first positional
    argument. `ready_paths` are asked in turn until one answers 200. `log_language` names the reader.
    """

    name: Literal["sglang", "vllm", "simulated"]
    title: str
    default_image: str
    docker_command: tuple[str, ...]
    process_command: tuple[str, ...]
    model_flag: str | None
    container_port: int
    ready_paths: tuple[str, ...]
    catalogue: str
    """Name of the flag catalogue in `engines/flags/`."""
    log_language: Literal["sglang", "vllm"]
    flush_paths: tuple[str, ...] = ()
    """POSTed in turn to empty the prefix cache, until one answers 200."""
    always: tuple[str, ...] = ()
    """Flags every launch gets, unless the task sets the same one."""
    environment: dict[str, str] = {}
    simulated: bool = False
