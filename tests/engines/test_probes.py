"""What engines answer over HTTP, by version, and whom to believe where the log says otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.engines.cross_check import cross_check
from tuner_tui.engines.facts import Memory
from tuner_tui.engines.probes import Answer, Source, read


def server_info(*usages: dict[str, Any], **more: Any) -> bytes:
    states = [{"memory_usage": usage, "last_gen_throughput": 100.5} for usage in usages]
    return json.dumps({"version": "0.5.9", "internal_states": states, **more}).encode()


@pytest.mark.parametrize(
    ("usage", "graphs"),
    [
        ({"cuda_graph": 0.61}, 0.61),  # 0.4.9 to 0.5.1
        ({"graph": 0.62}, 0.62),  # 0.5.2 to 0.5.16
        ({"graph": {"prefill": 0.2, "decode": 0.5, "draft_decode": 0.3}}, 0.7),  # since 0.5.20
        ({}, None),  # graphs off, before 0.5.2
    ],
)
def test_sglang_s_memory_by_version(usage: dict[str, Any], graphs: float | None) -> None:
    body = server_info({"weight": 40.62, "kvcache": 21.35, "token_capacity": 326_223, **usage})
    answer = read("server_info", body)
    assert answer.memory == Memory(weights_gib=40.62, kv_cache_gib=21.35, kv_cache_tokens=326_223, graphs_gib=graphs)
    assert answer.version == "0.5.9"


def test_sglang_s_copies_add_their_tokens_and_the_worst_gpu_counts() -> None:
    body = server_info(
        {"weight": 40.0, "kvcache": 20.0, "token_capacity": 1000, "startup_available": 5.0},
        {"weight": 41.0, "kvcache": 19.0, "token_capacity": 900, "startup_available": 4.0},
    )
    answer = read("server_info", body)
    assert answer.memory == Memory(weights_gib=41.0, kv_cache_gib=20.0, kv_cache_tokens=1900, available_gib=4.0)
    assert answer.decode_tokens_per_s == 201.0


def test_sglang_s_metrics() -> None:
    body = b"""\
# HELP sglang:num_running_reqs The number of running requests.
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{model_name="a b\\"c",dp_rank="0",tp_rank="0"} 3.0
sglang:num_running_reqs{model_name="a b\\"c",dp_rank="0",tp_rank="1"} 3.0
sglang:num_running_reqs{model_name="a b\\"c",dp_rank="1",tp_rank="0"} 4.0
sglang:max_total_num_tokens{dp_rank="0",tp_rank="0"} 1000.0
sglang:max_total_num_tokens{dp_rank="0",tp_rank="1"} 1000.0
sglang:max_total_num_tokens{dp_rank="1",tp_rank="0"} 900.0
sglang:weight_memory_usage_gb{dp_rank="0",tp_rank="0"} 40.0
sglang:weight_memory_usage_gb{dp_rank="0",tp_rank="1"} 40.5
sglang:graph_memory_usage_gb{dp_rank="0",tp_rank="0",phase="prefill"} 0.2
sglang:graph_memory_usage_gb{dp_rank="0",tp_rank="0",phase="decode"} 0.5
sglang:graph_memory_usage_gb{dp_rank="0",tp_rank="0",phase="draft_decode"} 9.0
sglang:token_usage{dp_rank="0"} 0.25
sglang:token_usage{dp_rank="1"} 0.75
sglang:gen_throughput{dp_rank="0"} NaN
"""
    assert read("metrics", body) == Answer(
        source="metrics",
        memory=Memory(weights_gib=40.5, kv_cache_tokens=1900, graphs_gib=0.7),
        requests_running=7,
        token_usage=0.75,
    )


def test_vllm_s_metrics_old_and_new() -> None:
    old = b"""\
vllm:cache_config_info{block_size="16",engine="0",gpu_memory_utilization="0.9",num_gpu_blocks="1000"} 1.0
vllm:cache_config_info{block_size="16",engine="1",gpu_memory_utilization="0.9",num_gpu_blocks="500"} 1.0
vllm:gpu_cache_usage_perc{engine="0"} 0.5
vllm:num_requests_running{engine="0"} 2.0
vllm:num_requests_running{engine="1"} 3.0
"""
    answer = read("metrics", old)
    assert answer.memory.kv_cache_tokens == 24_000
    assert (answer.requests_running, answer.token_usage) == (5, 0.5)
    new = (
        b'vllm:cache_config_info{block_size="128",kv_cache_max_concurrency="170.625",kv_cache_size_tokens="349440",'
        b'num_gpu_blocks="9",engine="0"} 1.0\n'
    )
    answer = read("metrics", new)
    assert (answer.memory.kv_cache_tokens, answer.max_concurrency) == (349_440, 170.625)


def test_the_model_s_context_and_the_version() -> None:
    assert read("models", b'{"object":"list","data":[{"id":"m","max_model_len":4096}]}').context_tokens == 4096
    assert read("version", b'{"version":"0.32.0"}').version == "0.32.0"


@given(st.sampled_from(["server_info", "metrics", "models", "version"]), st.binary(max_size=200))
def test_any_answer_can_be_read(source: Source, body: bytes) -> None:
    assert read(source, body).source == source


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["internal_states", "memory_usage", "weight", "graph", "data", "version"]), inner
        )
    ),
    max_leaves=15,
)


@given(st.sampled_from(["server_info", "models", "version"]), JSON)
def test_any_json_can_be_read(source: Source, document: Any) -> None:
    assert read(source, json.dumps(document).encode()).source == source


def test_answers_are_believed_before_the_log_and_the_difference_is_named() -> None:
    log = Memory(weights_gib=2.41, kv_cache_gib=63.92, kv_cache_tokens=2_094_537, total_gib=94.76)
    answers = [
        Answer(source="server_info", memory=Memory(weights_gib=2.414, kv_cache_tokens=2_000_000, graphs_gib=0.6)),
        Answer(source="metrics", memory=Memory(weights_gib=9.0, available_gib=25.6)),
    ]
    checked = cross_check(log, answers)
    assert checked.memory == Memory(
        weights_gib=2.414,
        kv_cache_gib=63.92,
        kv_cache_tokens=2_000_000,
        total_gib=94.76,
        graphs_gib=0.6,
        available_gib=25.6,
    )
    assert checked.sources == {
        "weights_gib": "server_info",
        "kv_cache_gib": "log",
        "kv_cache_tokens": "server_info",
        "total_gib": "log",
        "graphs_gib": "server_info",
        "available_gib": "metrics",
    }
    [difference] = checked.differences
    assert (difference.field, difference.log, difference.answer) == ("kv_cache_tokens", 2_094_537, 2_000_000)


def test_the_state_of_hybrid_models_is_only_in_the_log() -> None:
    answers = [Answer(source="server_info", memory=Memory(kv_cache_gib=10.0))]
    checked = cross_check(Memory(kv_cache_gib=28.0), answers)
    assert (checked.memory.kv_cache_gib, checked.sources) == (28.0, {"kv_cache_gib": "log"})
    assert len(checked.differences) == 1


def test_without_answers_the_log_stands() -> None:
    log = Memory(weights_gib=2.41)
    assert cross_check(log, []).memory == log
