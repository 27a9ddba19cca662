"""What the reader makes of real logs, and that nothing can make it fall."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared_data import shared
from tuner_tui.engines.error_patterns import PATTERNS
from tuner_tui.engines.errors import CLASSES
from tuner_tui.engines.facts import Memory
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.sglang import ROWS as SGLANG_ROWS
from tuner_tui.engines.vllm import ROWS as VLLM_ROWS

DATA = Path(__file__).parent / "data"
Language = Literal["sglang", "vllm"]


def language(name: str) -> Language:
    return "vllm" if "vllm" in name else "sglang"


def read(data: bytes, log_language: Language) -> LogReader:
    reader = LogReader(log_language)
    reader.feed(data)
    reader.close()
    return reader


def read_shared(name: str) -> LogReader:
    return read(shared(f"logs/{name}").read_bytes(), language(name))


def memory(
    weights: float | None,
    kv: float | None,
    tokens: int | None,
    available: float | None,
    total: float | None,
    graphs: float | None = None,
    activation: float | None = None,
) -> Memory:
    return Memory(
        weights_gib=weights,
        kv_cache_gib=kv,
        kv_cache_tokens=tokens,
        available_gib=available,
        total_gib=total,
        graphs_gib=graphs,
        activation_gib=activation,
    )


MEMORY = {
    "sglang-0.5.2-exp1-startup-cr-progress.log": (memory(2.41, 63.92, 2_094_537, 25.62, 94.76, 0.60), "ready"),
    "sglang-0.5.2-exp2-startup-cr-progress.log": (memory(2.41, 73.40, 2_405_039, 16.12, 94.76, 0.60), "ready"),
    # Weights by subtraction (22.76 − 8.37): this version does not print them. No token count in its KV line.
    "sglang-0.4.2-docker-timestamps-slow-load.log": (memory(14.39, 5.64, 105_531, 1.68, 22.76), "starting HTTP"),
    "sglang-0.5.8-qwen0.5b-startup.log": (memory(0.98, 0.24, 20_480, 76.95, None, 0.07), "starting HTTP"),
    # Host memory: there is no GPU whose total could be told.
    "sglang-0.5.23-cpu-startup.log": (memory(0.0, 0.18, 65_536, 20.54, None), "ready"),
    "sglang-0.5.9-tp8-capture-begin.log": (memory(None, None, None, 15.30, None), "capturing graphs 0/20"),
    "sglang-0.5.2x-gemma4-swa-pool.log": (memory(None, 36.69, 213_761, None, None), None),
    "vllm-0.32.0-cpu-startup.log": (memory(None, 1.0, 349_440, None, None), "ready"),
    "vllm-0.9-v0-cuda-blocks.log": (memory(0.70, 7.57, 661_856, None, 23.65, None, 1.12), "allocating KV cache"),
    "vllm-0.9-v1-tp2-vllmworker-load.log": (memory(11.9642, None, None, None, None), "compiling"),
    "vllm-0.3-v0-startup.log": (memory(None, None, 32_688, None, None), "capturing graphs"),
    "torch-cuda-oom-ci.log": (memory(None, None, None, 0.109, 22.05), None),
}


@pytest.mark.parametrize("name", MEMORY)
def test_memory_and_phase_of_a_real_log(name: str) -> None:
    expected, phase = MEMORY[name]
    reader = read_shared(name)
    assert (reader.memory, reader.phase) == (expected, phase)
    assert reader.ready is (phase == "ready")


CAUSES: dict[str, tuple[str, int, bool, str]] = {
    # file: class, line, fatal, words of the advice
    "sglang-0.5.10-unrecognized-flag.log": ("unknown_flag", 1, True, "SGLang 0.5.23 has it"),
    "sglang-0.5.23-ambiguous-flag.log": ("unknown_flag", 1, True, "write cuda-graph-max-bs-decode or"),
    "sglang-0.5.23-unknown-flag.log": ("unknown_flag", 5, True, "does not know no-such-flag"),
    "sglang-0.5.23-bad-attn-dp-bare-assert.log": ("bad_flag_value", 7, False, "cfg.tp_size % cfg.attn_dp_size == 0"),
    "sglang-0.5.23-model-not-found-offline.log": ("model_not_found", 5, False, "mounted"),
    "sglang-0.5.23-scheduler-crash-import-error.log": ("missing_module", 11, True, "'vllm'"),
    "sglang-0.5.8-tp16-nccl-error.log": ("nccl_failure", 46, True, "NCCL_DEBUG=INFO"),
    "sglang-0.5.8-schedulers-terminated-startup-failed.log": ("engine_process_died", 1, True, "does not say why"),
    "sglang-0.5.x-capture-oom-h200.log": ("cuda_out_of_memory", 1, False, "while graphs were captured"),
    "torch-cuda-oom-ci.log": ("cuda_out_of_memory", 1, False, "mem-fraction-static"),
    "nccl-shm-too-small.log": ("shared_memory_too_small", 3, False, "docker.shm_size"),
    "hf-gated-403.log": ("gated_model", 1, False, "HF_TOKEN"),
    "vllm-0.32.0-unknown-flag.log": ("unknown_flag", 5, True, "does not know no-such-flag"),
    "vllm-0.32.0-bad-value.log": ("bad_flag_value", 3, True, "max-num-seqs: invalid int value: 'abc'"),
    "vllm-0.32.0-cpu-kv-too-small.log": ("kv_cache_too_small", 28, True, "max-model-len to at most 1152"),
    "vllm-0.32.0-model-not-cached.log": ("model_not_found", 8, False, "HF_HUB_OFFLINE"),
    "vllm-0.32.0-port-in-use.log": ("port_in_use", 13, False, "taken"),
    "vllm-0.8-max-model-len-too-large.log": ("context_too_long", 1, True, "the model's 262144"),
    "docker-20.10-gpu-driver-missing.log": ("no_nvidia_runtime", 1, False, "Container Toolkit"),
    "docker-20.10-image-missing.log": ("image_not_found", 1, False, "name and tag"),
    "docker-20.10-port-allocated.log": ("port_in_use", 1, False, "taken"),
    "docker-nvidia-driver-missing-cli.log": ("no_nvidia_runtime", 1, False, "Container Toolkit"),
    "docker-nvidia-driver-too-old-for-image.log": ("driver_too_old", 1, False, "update the driver"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_in_a_real_log(name: str) -> None:
    failure_class, number, fatal, words = CAUSES[name]
    error = read_shared(name).cause()
    assert error is not None
    assert (error.failure_class, error.line_number, error.fatal) == (failure_class, number, fatal)
    assert words in error.reason


@pytest.mark.parametrize(
    "name",
    [
        "sglang-0.5.2-exp1-startup-cr-progress.log",
        "sglang-0.5.2-exp1-running.log",
        "sglang-0.5.23-cpu-startup.log",
        "sglang-0.5.23-cpu-running.log",
        "sglang-0.5.9-pd-decode-running.log",
        "vllm-0.32.0-cpu-startup.log",
        "vllm-0.32.0-cpu-running.log",
    ],
)
def test_a_healthy_log_names_no_cause(name: str) -> None:
    reader = read_shared(name)
    assert reader.cause() is None
    assert reader.fatal is None


def test_kv_too_small_is_declared_at_its_first_line_not_at_the_exit() -> None:
    data = shared("logs/vllm-0.32.0-cpu-kv-too-small.log").read_bytes()
    reader, fatal_at = LogReader("vllm"), 0
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        reader.feed(line)
        if reader.fatal and not fatal_at:
            fatal_at = number
    assert fatal_at == 28  # the engine itself takes 41 more lines, and three seconds
    assert reader.cause() == reader.fatal


def test_phases_of_a_start_in_order() -> None:
    data = shared("logs/sglang-0.5.2-exp1-startup-cr-progress.log").read_bytes()
    reader = LogReader("sglang")
    phases: list[str | None] = [None]
    for byte in range(0, len(data), 7):
        reader.feed(data[byte : byte + 7])
        if reader.phase != phases[-1]:
            phases.append(reader.phase)
    assert phases[:7] == [
        None,
        "starting",
        "connecting the ranks",
        "loading weights",
        "loading weights 0/1",
        "loading weights 1/1",
        "allocating KV cache",
    ]
    assert phases[-4:] == ["capturing graphs 35/35", "starting HTTP", "warming up", "ready"]
    captured = [
        int(phase.split()[2].split("/")[0]) for phase in phases if phase and phase.startswith("capturing graphs ")
    ]
    assert all(a < b for a, b in pairwise(captured))


def test_the_tail_shows_a_progress_bar_once() -> None:
    tail = read_shared("sglang-0.5.2-exp1-startup-cr-progress.log").tail(12)
    assert len(tail) == 12
    assert tail[-1].endswith("The server is fired up and ready to roll!")
    [bar] = [line for line in tail if "Capturing batches" in line]
    assert "35/35" in bar
    assert read(b"one\n\ntwo\n", "sglang").tail(5) == ["one", "two"]
    assert read(b"one\n", "sglang").tail(0) == []


def test_memory_of_several_ranks_is_the_worst_and_tokens_add_up_over_copies() -> None:
    log = b"""\
[2026-01-01 00:00:00 DP0 TP0] Load weight begin. avail mem=79.00 GB
[2026-01-01 00:00:00 DP0 TP1] Load weight begin. avail mem=78.50 GB
[2026-01-01 00:00:00 DP1 TP0] Load weight begin. avail mem=79.10 GB
[2026-01-01 00:00:01 DP0 TP0] Load weight end. type=X, dtype=b, avail mem=71.00 GB, mem usage=8.00 GB.
[2026-01-01 00:00:01 DP0 TP1] Load weight end. type=X, dtype=b, avail mem=70.00 GB, mem usage=8.50 GB.
[2026-01-01 00:00:02 DP0 TP0] KV Cache is allocated. #tokens: 1000, K size: 10.00 GB, V size: 10.00 GB
[2026-01-01 00:00:02 DP0 TP1] KV Cache is allocated. #tokens: 1000, K size: 10.00 GB, V size: 10.00 GB
[2026-01-01 00:00:02 DP1 TP0] KV Cache is allocated. #tokens: 900, K size: 9.00 GB, V size: 9.00 GB
[2026-01-01 00:00:03 DP0 TP0] Memory pool end. avail mem=50.00 GB
[2026-01-01 00:00:03 DP0 TP1] Memory pool end. avail mem=49.00 GB
[2026-01-01 00:00:03 DP1 TP0] Memory pool end. avail mem=61.00 GB
"""
    assert read(log, "sglang").memory == memory(8.5, 20.0, 1900, 49.0, 78.5)


def test_a_draft_model_pool_is_not_the_server_s() -> None:
    block = b"""\
[2026-01-01 00:00:00] Load weight begin. avail mem=79.00 GB
[2026-01-01 00:00:00] Load weight end. elapsed=1.0 s, type=X, avail mem=70.00 GB, mem usage=%b GB.
[2026-01-01 00:00:00] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 500, K size: %b GB, V size: 1.00 GB
[2026-01-01 00:00:00] Memory pool end. avail mem=%b GB
"""
    log = block % (b"9.00", b"20.00", b"30.00") + block % (b"1.00", b"2.00", b"27.00")
    assert read(log, "sglang").memory == memory(9.0, 21.0, 500, 27.0, 79.0)


def test_two_engine_cores_of_vllm_add_their_tokens() -> None:
    log = b"""\
(EngineCore_DP0 pid=9) (Worker_DP0_TP0 pid=3) INFO 11-23 13:00:00 [g.py:1] Model loading took 3.5 GiB and 1.0 seconds
(Worker_DP1_TP0 pid=4) INFO 11-23 13:00:00 [g.py:1] Model loading took 3.6 GiB memory and 1.0 seconds
(Worker_DP0_TP0 pid=3) INFO 11-23 13:00:00 [g.py:1] Available KV cache memory: 50.5 GiB
(EngineCore_DP0 pid=9) INFO 11-23 13:00:00 [k.py:1] GPU KV cache size: 1,000,000 tokens
(EngineCore_DP1 pid=8) INFO 11-23 13:00:00 [k.py:1] GPU KV cache size: 999,000 tokens
"""
    assert read(log, "vllm").memory == memory(3.6, 50.5, 1_999_000, None, None)


def test_an_unknown_exception_of_the_engine_core_is_fatal_and_the_last_in_its_chain() -> None:
    head = "(EngineCore pid=5) ERROR 11-23 13:36:59 [core.py:1510] "
    log = "".join(
        f"{head}{line}\n"
        for line in (
            "EngineCore failed to start.",
            "Traceback (most recent call last):",
            '  File "/x/y.py", line 3, in f',
            "    raise KeyError('a') from None  # CUDA out of memory is not what happened",
            "KeyError: 'a'",
            "",
            "During handling of the above exception, another exception occurred:",
            "",
            "Traceback (most recent call last):",
            "ValueError: the flux is not compensated",
        )
    )
    fatal = read(log.encode(), "vllm").fatal
    assert fatal is not None
    assert (fatal.failure_class, fatal.line_number) == ("other", 10)
    assert fatal.reason.startswith("the engine failed: ValueError: the flux is not compensated; look for that")


def test_the_worker_s_error_is_the_cause_not_what_the_core_says_of_it() -> None:
    log = b"""\
(Worker_TP0 pid=3) INFO 11-23 13:00:00 [g.py:1] Starting to load model /model...
(Worker_TP0 pid=3) ERROR 11-23 13:00:01 [m.py:1] WorkerProc failed to start.
(Worker_TP0 pid=3) ERROR 11-23 13:00:01 [m.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.00 GiB.
(EngineCore pid=2) ERROR 11-23 13:00:02 [core.py:1] EngineCore failed to start.
(EngineCore pid=2) ERROR 11-23 13:00:02 [core.py:1] Exception: WorkerProc initialization failed due to an exception.
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""
    fatal = read(log, "vllm").fatal
    assert fatal is not None
    assert (fatal.failure_class, fatal.line_number) == ("cuda_out_of_memory", 3)
    assert "the weights do not fit" in fatal.reason
    assert "tensor-parallel-size" in fatal.reason


def test_what_ended_a_rank_decides_not_what_the_others_say_of_it() -> None:
    log = (
        b"[2026-01-01 00:00:00 TP1] Scheduler hit an exception: Traceback (most recent call last):\n"
        b"KeyError: 'lm_head.weight'\n"
        b"[2026-01-01 00:00:01 TP0] Scheduler hit an exception: Traceback (most recent call last):\n"
        b"RuntimeError: NCCL error: remote process exited or there was a network error\n"
    )
    cause = read(log, "sglang").cause()
    assert cause is not None
    assert (cause.failure_class, cause.line_number) == ("other", 2)


def test_an_error_that_did_not_keep_the_server_from_getting_ready_is_no_cause() -> None:
    log = b"ValueError: something optional is missing\nThe server is fired up and ready to roll!\n"
    assert read(log, "sglang").cause() is None
    died = log + b"RuntimeError: Decode out of memory. Try to lower your batch size.\n"
    cause = read(died, "sglang").cause()
    assert cause is not None
    assert (cause.failure_class, cause.line_number) == ("not_enough_kv_memory", 3)


def test_warnings_of_the_engine_are_no_causes() -> None:
    log = (
        b"(Worker pid=1) WARNING 11-23 13:00:00 [x.py:1] NCCL error: ignored\n"
        b"(Worker pid=1) INFO 11-23 13:00:00 [x.py:1] ValueError: retrying\n"
        b"Ignore import error when loading sglang.srt.models.x: No module named 'y'\n"
    )
    assert read(log, "vllm").cause() is None


def test_a_second_start_in_the_same_log_begins_anew() -> None:
    start = b"[2026-01-01 00:00:00] server_args=ServerArgs(model_path='/m')\n"
    log = start + b"[2026-01-01 00:00:00] Load weight begin. avail mem=79.00 GB\nValueError: no\n" + start
    reader = read(log, "sglang")
    assert reader.cause() is None
    assert (reader.memory.total_gib, reader.phase) == (None, "starting")


def test_sglang_says_warning_where_it_raises() -> None:
    line = (
        b"ValueError: Warning: User-specified context_length (100000) is greater than the derived context_length "
        b"(4096). This may lead to incorrect model outputs or CUDA errors.\n"
    )
    error = read(line, "sglang").fatal
    assert error is not None
    assert error.failure_class == "context_too_long"
    assert error.reason == "context-length 100000 is more than the model's 4096; lower it to that"
    # Allowed by a variable of the environment, it is a warning indeed.
    assert read(line.replace(b"ValueError: ", b"[2026-01-01 00:00:00] "), "sglang").cause() is None


def test_an_unknown_flag_of_the_other_engine_is_named_as_such() -> None:
    error = read(b"launch_server.py: error: unrecognized arguments: --max-num-seqs 4\n", "sglang").fatal
    assert error is not None
    assert error.reason == (
        "the engine does not know max-num-seqs (max-num-seqs is a vLLM flag, here it is max-running-requests)"
    )


@pytest.mark.parametrize("row", [*SGLANG_ROWS, *VLLM_ROWS], ids=lambda row: row.needle)
def test_every_row_reads_its_own_example(row) -> None:  # type: ignore[no-untyped-def]
    assert row.needle in row.example
    assert row.pattern.search(row.example)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.example[:40])
def test_every_error_wording_reads_its_own_example(pattern) -> None:  # type: ignore[no-untyped-def]
    assert pattern.failure_class in CLASSES
    for log_language in ("sglang", "vllm"):
        error = read(pattern.example.encode(), log_language).cause()
        assert error is not None
        assert error.failure_class == pattern.failure_class
        assert "{" not in error.reason
        assert "\n" not in error.reason


EXAMPLES = [example.encode() for row in (*SGLANG_ROWS, *VLLM_ROWS) for example in [row.example]] + [
    pattern.example.encode() for pattern in PATTERNS
]
FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(EXAMPLES),
        st.sampled_from(
            [b"\n", b"\r", b"[2026-01-01 00:00:00 TP1 DP0] ", b"(Worker_TP1 pid=2) ", b"Traceback", b"9" * 5000]
        ),
        st.binary(max_size=40),
    ),
    max_size=30,
).map(b"".join)


def facts(reader: LogReader) -> tuple[object, ...]:
    return reader.memory, reader.phase, reader.ready, reader.fatal, reader.cause(), reader.tail(20)


@given(FRAGMENTS, st.sampled_from(["sglang", "vllm"]), st.data())
@settings(max_examples=150, deadline=None)
def test_any_bytes_in_any_chunks_say_the_same_and_never_raise(
    data: bytes, log_language: Language, draws: st.DataObject
) -> None:
    cuts = sorted(draws.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    cut = LogReader(log_language)
    for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True):
        cut.feed(data[a:b])
    cut.close()
    assert facts(cut) == facts(read(data, log_language))


@pytest.mark.parametrize(
    ("name", "failure_class", "fatal_line", "words"),
    [
        ("vllm-0.32.0-kv-too-small", "kv_cache_too_small", "max seq len (4096)", "max-model-len to at most 1152"),
        (
            "vllm-0.32.0-heads-not-divisible",
            "bad_flag_value",
            "attention heads (4)",
            "a tensor-parallel-size that divides 4",
        ),
        (
            "sglang-0.5.23-fraction-too-low",
            "not_enough_kv_memory",
            "Loaded weights leave",
            "mem-fraction-static above 0.003",
        ),
        ("sglang-0.5.23-context-too-long", "context_too_long", "context_length (100000)", "the model's 4096"),
    ],
)
def test_bad_configurations_as_recorded_here_on_the_tiny_model(
    name: str, failure_class: str, fatal_line: str, words: str
) -> None:
    reader = LogReader(language(name))
    deciding = ""
    for line in (DATA / f"{name}.log").read_bytes().splitlines(keepends=True):
        reader.feed(line)
        if reader.fatal and not deciding:
            deciding = line.decode()
    assert fatal_line in deciding, "declared at the deciding line, while the engine is still dying"
    cause = reader.cause()
    assert cause is not None
    assert (cause.failure_class, cause.fatal) == (failure_class, True)
    assert words in cause.reason
