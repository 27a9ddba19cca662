"""The running figures of real `/metrics` pages; what is no such page says nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.engines.live_metrics import read_live_metrics

# Lines of vLLM 0.32.0 under load, on a CPU.
VLLM = b"""\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="tiny-llama"} 4.0
vllm:num_requests_waiting{engine="0",model_name="tiny-llama"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="tiny-llama",reason="capacity"} 7.0
vllm:kv_cache_usage_perc{engine="0",model_name="tiny-llama"} 0.0014657383657017409
vllm:prefix_cache_queries_total{engine="0",model_name="tiny-llama"} 600.0
vllm:prefix_cache_queries_created{engine="0",model_name="tiny-llama"} 1.7955798141115313e+09
vllm:prefix_cache_hits_total{engine="0",model_name="tiny-llama"} 48.0
vllm:num_preemptions_total{engine="0",model_name="tiny-llama"} 3.0
vllm:prompt_tokens_total{engine="0",model_name="tiny-llama"} 600.0
vllm:prompt_tokens_by_source_total{engine="0",model_name="tiny-llama",source="local_compute"} 600.0
vllm:generation_tokens_total{engine="0",model_name="tiny-llama"} 589.0
vllm:spec_decode_num_drafts_total{engine="0",model_name="tiny-llama"} 100.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="tiny-llama"} 150.0
"""

# Lines of SGLang 0.5.23, on a CPU; its gauges once for a second data-parallel copy, and once more for another rank.
SGLANG = b"""\
sglang:num_running_reqs{engine_type="unified",model_name="a{b},c\\"d",dp_rank="0",tp_rank="0"} 3.0
sglang:num_running_reqs{engine_type="unified",model_name="a{b},c\\"d",dp_rank="0",tp_rank="1"} 3.0
sglang:num_running_reqs{engine_type="unified",model_name="a{b},c\\"d",dp_rank="1",tp_rank="0"} 1.0
sglang:num_queue_reqs{engine_type="unified",dp_rank="0",tp_rank="0"} 0.0
sglang:token_usage{engine_type="unified",dp_rank="0",tp_rank="0"} 0.12
sglang:token_usage{engine_type="unified",dp_rank="1",tp_rank="0"} 0.34
sglang:gen_throughput{engine_type="unified",dp_rank="0",tp_rank="0"} 480.5
sglang:prompt_tokens_total{engine_type="unified",is_streaming="false",model_name="tiny-llama"} 11.0
sglang:prompt_tokens_total{engine_type="unified",is_streaming="true",model_name="tiny-llama"} 200.0
sglang:generation_tokens_total{engine_type="unified",is_streaming="true",model_name="tiny-llama"} 248.0
sglang:realtime_tokens_total{engine_type="unified",mode="prefill_compute",model_name="tiny-llama"} 212.0
sglang:realtime_tokens_total{engine_type="unified",mode="decode",model_name="tiny-llama"} 243.0
sglang:spec_accept_length{engine_type="unified",model_name="tiny-llama"} 0.0
"""


def test_vllm() -> None:
    read = read_live_metrics(VLLM)
    assert read is not None
    assert (read.running, read.queued, read.kv_usage) == (4, 2, 0.0014657383657017409)
    assert (read.prompt_tokens, read.prefilled_tokens) == (600, 600)
    assert (read.generated_tokens, read.decoded_tokens) == (589, 589)
    assert (read.cached_tokens, read.looked_up_tokens, read.preemptions) == (48, 600, 3)
    assert read.accept_length == 2.5


def test_sglang_adds_up_its_copies_and_no_rank_twice() -> None:
    read = read_live_metrics(SGLANG)
    assert read is not None
    assert (read.running, read.queued, read.kv_usage, read.decode_tokens_per_s) == (4, 0, 0.34, 480.5)
    assert (read.prompt_tokens, read.prefilled_tokens, read.decoded_tokens) == (211, 212, 243)
    # It tells of cached tokens only once there are any.
    assert (read.cached_tokens, read.looked_up_tokens) == (0, 211)
    assert (read.preemptions, read.accept_length) == (None, None)


def test_another_page_says_nothing() -> None:
    assert read_live_metrics(b"") is None
    assert read_live_metrics(b"<html>not here</html>") is None
    assert read_live_metrics(b"go_goroutines 12\n") is None


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(noise: bytes) -> None:
    read_live_metrics(noise)
    read_live_metrics(b"vllm:num_requests_running{" + noise + b"} 1\n" + VLLM)
