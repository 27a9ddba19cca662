"""Lines that are no errors and yet matter for speed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared_data import shared
from tuner_tui.engines.remarks import RemarkReader


def names(*lines: str) -> list[str]:
    reader = RemarkReader()
    reader.feed("".join(line + "\n" for line in lines).encode())
    return [remark.name for remark in reader.remarks]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            "WARNING 11-06 [cuda.py:1] Cannot use FlashAttention-2 backend for Volta and Turing GPUs.",
            "attention_fallback",
        ),
        (
            "[2025-11-06 12:09:33] FlashInfer is not available, falling back to triton attention backend",
            "attention_fallback",
        ),
        (
            "WARNING 05-21 18:17:01 [fused_moe.py:683] Using default MoE config. Performance might be sub-optimal!",
            "default_kernel_config",
        ),
        (
            "WARNING 05-21 [x.py:1] Custom allreduce is disabled because your platform lacks GPU P2P capability",
            "no_custom_all_reduce",
        ),
        ("[2025-03-08 12:29:21 TP0] Setup Custom allreduce failed with invalid argument.", "no_custom_all_reduce"),
        ("[2025-11-06 12:09:30] The chunked prefill size is adjusted to 2048.", "flag_changed"),
        ("[2025-11-06 12:09:30] Overlap scheduler is disabled because of eagle.", "flag_changed"),
    ],
)
def test_a_known_wording(line: str, name: str) -> None:
    assert names(line) == [name]


@pytest.mark.parametrize(
    "line",
    [
        "[2025-11-06 12:09:31] server_args=ServerArgs(disable_overlap_schedule=False, page_size=1, note='is disabled')",
        'INFO:     127.0.0.1:1 - "POST /v1/completions?q=page size adjusted HTTP/1.1" 200 OK',
        "Reducing Torch threads from 2 to 1 for serving. Set OMP_NUM_THREADS in the external environment to override.",
        "Warning: Unable to resolve hostname to a (local) address. Using the loopback address as fallback.",
    ],
)
def test_what_is_none(line: str) -> None:
    assert names(line) == []


def test_the_first_of_a_kind_is_kept_however_the_log_was_cut() -> None:
    line = b"\x1b[33mThe chunked prefill size is adjusted to 2048.\x1b[0m\nPage size is adjusted to 64.\n"
    for size in (1, 7, len(line)):
        reader = RemarkReader()
        for start in range(0, len(line), size):
            reader.feed(line[start : start + size])
        assert [remark.line for remark in reader.remarks] == ["The chunked prefill size is adjusted to 2048."]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    reader = RemarkReader()
    reader.feed(data)
    reader.feed(b" fall back disabled " + data + b"\n")


def test_recorded_logs_of_healthy_servers_have_none() -> None:
    folder = shared("logs")
    logs = [*folder.glob("*running.log"), *folder.glob("*startup*.log")]
    assert len(logs) > 5
    for log in logs:
        reader = RemarkReader()
        reader.feed(log.read_bytes())
        assert reader.remarks == (), log.name
