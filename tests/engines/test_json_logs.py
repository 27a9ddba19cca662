"""Lines that a collector or a JSON logger has wrapped: what was printed is read, line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.shared_data import shared
from tuner_tui.engines.facts import AnyFact, Warned
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.log_lines import unwrapped

TRACEBACK = """\
Traceback (most recent call last):
  File "/usr/lib/python3.12/site-packages/vllm/v1/worker/gpu_worker.py", line 130, in init_device
    raise ValueError(
ValueError: Free memory on device cuda:0 (10.1/79.2 GiB) on startup is less than desired GPU memory utilization (0.9, \
71.3 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes."""


def read(*records: Mapping[str, object]) -> LogReader:
    reader = LogReader("vllm")
    for record in records:
        reader.feed(json.dumps(record).encode() + b"\n")
    reader.close()
    return reader


def test_a_traceback_in_one_field_is_read_as_its_lines() -> None:
    said = {"asctime": "2026-01-01", "levelname": "ERROR", "message": "EngineCore failed to start."}
    for record in (
        {"time": "2026-01-01T00:00:00Z", "level": "error", "msg": f"EngineCore failed to start.\n{TRACEBACK}\n"},
        {**said, "exc_info": TRACEBACK},
        {"log": json.dumps({**said, "exc_info": TRACEBACK}) + "\n", "stream": "stderr"},  # Docker's file of those
    ):
        reader = read({"message": "starting"}, record, {"message": "bye"})
        cause = reader.cause()
        assert cause is not None
        assert (cause.failure_class, cause.line_number) == ("gpu_memory_in_use", 2)
        assert cause.line.startswith("ValueError: Free memory on device"), "the line alone, not the whole record"
        assert reader.tail(3) == ["    raise ValueError(", cause.line, "bye"]


def test_an_unknown_error_in_a_traceback_is_the_exception_not_the_source_it_quotes() -> None:
    text = (
        "Scheduler hit an exception: Traceback (most recent call last):\n"
        '  File "/x/y.py", line 3, in f\n'
        "    raise KeyError('a')  # ValueError: CUDA out of memory\n"
        "KeyError: 'a'"
    )
    cause = read({"message": text}).cause()
    assert cause is not None
    assert (cause.failure_class, cause.line) == ("other", "KeyError: 'a'")


def test_a_level_of_the_record_counts() -> None:
    facts: list[AnyFact] = []
    reader = LogReader("vllm", facts.append)
    for level in ("warning", "INFO"):
        reader.feed(json.dumps({"level": level, "message": "ValueError: once more"}).encode() + b"\n")
    assert reader.cause() is None
    assert [type(fact) for fact in facts] == [Warned]


def test_progress_bars_in_a_record() -> None:
    record = {"log": "Loading safetensors checkpoint shards:  50% Completed | 1/2\r"}
    record["log"] += "Loading safetensors checkpoint shards: 100% Completed | 2/2\n"
    reader = read(record, {"log": "next\n"})
    assert reader.phase == "loading weights 2/2"
    assert reader.tail(9) == ["Loading safetensors checkpoint shards: 100% Completed | 2/2", "next"]


def test_a_whole_log_in_docker_s_own_file_says_the_same() -> None:
    log = shared("logs/vllm-0.32.0-cpu-kv-too-small.log").read_bytes()
    plain, wrapped = LogReader("vllm"), LogReader("vllm")
    plain.feed(log)
    for line in log.decode().splitlines(keepends=True):
        wrapped.feed(json.dumps({"log": line, "stream": "stdout", "time": "2026-01-01T00:00:00Z"}).encode() + b"\n")
    assert wrapped.errors() == plain.errors()
    assert wrapped.cause() == plain.cause()
    assert wrapped.state.timeline.steps == plain.state.timeline.steps


def test_json_that_is_no_record_stays() -> None:
    for line in (b'{"weight": 2.4, "kvcache": 21.35}\n', b'{"message": 3}\n', b'{"message": "x"\n', b'{"a"\xff}\n'):
        assert unwrapped(line) == (line,)
