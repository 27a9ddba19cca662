"""How it dies when told to: the texts SGLang leaves in its log, and its way of ending."""

from __future__ import annotations

import os
import signal

from tuner_tui.engines.simulated.log import Log
from tuner_tui.engines.simulated.memory import OutOfMemory

_SOLUTIONS = """
Possible solutions:
1. set --mem-fraction-static to a smaller value (e.g., 0.8 or 0.7)
2. set --cuda-graph-max-bs to a smaller value (e.g., 16)
3. disable torch compile by not using --enable-torch-compile
4. disable CUDA graph by --disable-cuda-graph. (Not recommended. Huge performance loss)
"""
_AGAIN = "\n\nDuring handling of the above exception, another exception occurred:\n\n"


def out_of_graph_memory(log: Log, error: OutOfMemory) -> None:
    """torch's error, then SGLang's around it, as in a failed graph capture."""
    inner = _traceback([("model_executor/cuda_graph_runner.py", "self.capture()")], f"torch.OutOfMemoryError: {error}")
    outer = _traceback(
        [
            ("managers/scheduler.py", "scheduler = Scheduler(server_args, port_args)"),
            ("model_executor/model_runner.py", "self.init_cuda_graphs()"),
            ("model_executor/cuda_graph_runner.py", "raise Exception("),
        ],
        f"Exception: Capture cuda graph failed: {error}{_SOLUTIONS}",
    )
    log.line(f"Scheduler hit an exception: {inner}{_AGAIN}{outer}")


def out_of_memory(log: Log, error: OutOfMemory, at: str) -> None:
    """torch's error alone: `at` is the call that failed."""
    frames = [("managers/scheduler.py", "scheduler = Scheduler(server_args, port_args)"), (at, "self.initialize()")]
    log.line(f"Scheduler hit an exception: {_traceback(frames, f'torch.OutOfMemoryError: {error}')}\n")


def refused(log: Log, error: Exception, kind: str = "RuntimeError") -> None:
    """The model worker cannot be set up."""
    frames = [
        ("managers/scheduler.py", "scheduler = Scheduler(server_args, port_args)"),
        ("model_executor/model_runner.py", "self.initialize(min_per_gpu_memory)"),
    ]
    log.line(f"Scheduler hit an exception: {_traceback(frames, f'{kind}: {error}')}\n")


def died(log: Log, error: Exception) -> None:
    """The scheduler's loop ended, by an exception of a name that no known pattern claims."""
    frames = [("managers/scheduler.py", "scheduler.event_loop_overlap()")]
    log.line(f"Scheduler hit an exception: {_traceback(frames, f'SimulatedCrash: {error}')}\n")


def end_at_once(log: Log) -> None:
    """As SGLang's main process when its scheduler died: it kills its whole process tree, itself included.

    The exit status is therefore 137 (SIGKILL). The first process of a container cannot kill itself; it exits with
    the same number.
    """
    log.line("Received sigquit from a child process. It usually means the child failed.")
    os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)


def _traceback(frames: list[tuple[str, str]], last: str) -> str:
    lines = ["Traceback (most recent call last):"]
    for path, code in frames:
        lines += [f'  File "/simulated/sglang/srt/{path}", line 1, in simulated', f"    {code}"]
    return "\n".join([*lines, last])
