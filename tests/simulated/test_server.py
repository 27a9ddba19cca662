"""The HTTP API, asked as a client would."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.simulated.engine import Answer, Engine, engine

IDS = list(range(100, 130))


@pytest.fixture(scope="module")
def server() -> Iterator[Engine]:
    with engine() as running:
        yield running.ready()


def complete(server: Engine, **fields: Any) -> Answer:
    return server.post("/v1/completions", {"model": "llama", "ignore_eos": True, "max_tokens": 12, **fields})


def test_an_answer_has_exactly_the_tokens_asked_for(server: Engine) -> None:
    answer = complete(server, prompt=IDS, max_tokens=37).json
    assert answer["usage"]["completion_tokens"] == 37
    assert answer["usage"]["prompt_tokens"] == 30
    assert answer["usage"]["total_tokens"] == 67
    assert answer["choices"][0]["finish_reason"] == "length"
    # The answer's text has as many tokens by the engine's own count.
    assert server.post("/tokenize", {"prompt": answer["choices"][0]["text"]}).json["count"] == 37


def test_a_stream_has_one_piece_a_token_and_says_the_same(server: Engine) -> None:
    prompt = [5, 6, 7, 8]
    whole = complete(server, prompt=prompt).json
    events = complete(server, prompt=prompt, stream=True, stream_options={"include_usage": True}).events
    pieces, [last] = events[:-1], events[-1:]
    assert len(pieces) == 12
    assert "".join(piece["choices"][0]["text"] for piece in pieces) == whole["choices"][0]["text"]
    assert [piece["choices"][0]["finish_reason"] for piece in pieces] == [None] * 11 + ["length"]
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 12
    assert len({event["id"] for event in events}) == 1


def test_usage_comes_only_when_asked_for(server: Engine) -> None:
    events = complete(server, prompt=IDS, stream=True).events
    assert len(events) == 12
    assert all("usage" not in event for event in events)


def test_one_token_is_a_whole_stream(server: Engine) -> None:
    [piece] = complete(server, prompt=IDS, max_tokens=1, stream=True).events
    assert piece["choices"][0]["finish_reason"] == "length"
    assert piece["choices"][0]["text"].strip()


def test_chat_streams_the_role_then_words_then_the_reason(server: Engine) -> None:
    body = {"messages": [{"role": "user", "content": "How are you?"}], "max_completion_tokens": 5, "ignore_eos": True}
    whole = server.post("/v1/chat/completions", body).json
    assert whole["object"] == "chat.completion"
    assert whole["usage"]["completion_tokens"] == 5
    events = server.post("/v1/chat/completions", {**body, "stream": True}).events
    deltas = [event["choices"][0]["delta"] for event in events]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == whole["choices"][0]["message"]["content"]
    assert events[-1]["choices"][0]["finish_reason"] == "length"
    assert sum(bool(delta.get("content")) for delta in deltas) == 5


@pytest.mark.parametrize("prompt", ["the same text", ["the same text"], IDS, [IDS]])
def test_a_prompt_is_a_text_or_token_ids_or_a_list_of_one(server: Engine, prompt: Any) -> None:
    used = complete(server, prompt=prompt).json["usage"]["prompt_tokens"]
    assert used == (30 if prompt in (IDS, [IDS]) else 3)


def test_without_ignore_eos_answers_end_early_but_not_before_min_tokens(server: Engine) -> None:
    lengths = []
    for i in range(12):
        answer = complete(server, prompt=[i], ignore_eos=False, max_tokens=40, min_tokens=10).json
        lengths.append(answer["usage"]["completion_tokens"])
        ended = "stop" if lengths[-1] < 40 else "length"
        assert answer["choices"][0]["finish_reason"] == ended
    assert min(lengths) >= 10
    assert len(set(lengths)) > 3
    assert min(lengths) < 40


def test_a_repeated_prompt_is_cached_but_for_its_last_token(server: Engine) -> None:
    prompt = list(range(5000, 5200))
    first = complete(server, prompt=prompt).json["usage"]
    again = complete(server, prompt=prompt).json["usage"]
    other = complete(server, prompt=[*prompt[:150], *range(50)]).json["usage"]
    cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in (first, again, other)]
    assert cached == [0, 199, 150]
    assert server.post("/flush_cache", b"").status == 200
    flushed = complete(server, prompt=prompt).json["usage"]
    assert flushed["prompt_tokens_details"]["cached_tokens"] == 0


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{nonsense", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"[1]", 400, "must be a JSON object"),
        ({"prompt": ""}, 400, "empty"),
        ({"prompt": ["a", "b"]}, 400, "one text, or one list"),
        ({"prompt": [1, -1]}, 400, "from 0 to 128255"),
        ({"prompt": [128256]}, 400, "from 0 to 128255"),
        ({"prompt": [True]}, 400, "one text, or one list"),
        ({}, 400, "one text, or one list"),
        ({"prompt": [1], "n": 2}, 400, "n = 1"),
        ({"prompt": [1], "max_tokens": 0}, 400, "max_tokens must be an integer of at least 1"),
        ({"prompt": [1], "max_tokens": 1.5}, 400, "max_tokens must be an integer"),
        ({"prompt": [1], "max_tokens": 5, "min_tokens": 6}, 400, "min_tokens (6) is above"),
        ({"prompt": [1], "max_tokens": 131072}, 400, "maximum context length of 131072 tokens"),
        ({"prompt": [1], "model": "gpt"}, 404, "`gpt` does not exist; this server has `llama`"),
    ],
)
def test_a_bad_request_is_answered_with_openais_error_body(server: Engine, body: Any, status: int, words: str) -> None:
    answer = server.post("/v1/completions", body)
    assert answer.status == status
    error = answer.json["error"]
    assert words in error["message"]
    assert error["code"] == status
    assert error["type"] in ("invalid_request_error", "NotFoundError")


@pytest.mark.parametrize("messages", [[], "hello", [{"content": "x"}], [{"role": "user", "content": 5}], None])
def test_bad_messages_are_refused(server: Engine, messages: Any) -> None:
    assert server.post("/v1/chat/completions", {"messages": messages}).status == 400


def test_an_unknown_path_is_404_and_a_wrong_method_405(server: Engine) -> None:
    assert server.get("/v1/nothing").status == 404
    assert server.get("/v1/completions").status == 405


def test_it_says_everywhere_that_it_is_simulated(server: Engine) -> None:
    assert server.log.startswith("[")
    assert "SIMULATED ENGINE: no model runs here" in server.log.splitlines()[0]
    assert server.log.count("SIMULATED ENGINE: no model runs here") == 2
    assert server.get("/health").headers["Server"].startswith("tuner-tui-simulated")
    [model] = server.get("/v1/models").json["data"]
    assert (model["id"], model["owned_by"]) == ("llama", "tuner-tui-simulated")
    for path in ("/get_server_info", "/server_info", "/get_model_info"):
        assert server.get(path).json["simulated"] is True


def test_server_info_tells_memory_and_every_argument(server: Engine) -> None:
    info = server.get("/get_server_info").json
    assert info["model_path"] == "llama"
    assert info["version"] == "0.5.2"
    [state] = info["internal_states"]
    assert state["memory_usage"]["weight"] == 2.41
    assert state["memory_usage"]["token_capacity"] == info["max_total_num_tokens"]
    # 32 KiB a token
    assert state["memory_usage"]["kvcache"] == pytest.approx(info["max_total_num_tokens"] / 2**15, abs=0.01)


def test_metrics_count_what_was_asked(server: Engine) -> None:
    def metric(name: str) -> float:
        text = server.get("/metrics").text
        return float(next(line for line in text.splitlines() if line.startswith(name + "{")).split()[-1])

    before = metric("sglang:generation_tokens_total"), metric("sglang:e2e_request_latency_seconds_count")
    complete(server, prompt=list(range(900, 950)), max_tokens=21)
    assert metric("sglang:generation_tokens_total") - before[0] == 21
    assert metric("sglang:e2e_request_latency_seconds_count") - before[1] == 1
    assert metric("sglang:num_running_reqs") == 0
    assert metric("sglang:max_total_num_tokens") > 2_000_000


def test_health_generate_costs_a_token(server: Engine) -> None:
    before = server.log.count("Prefill batch.")
    assert server.get("/health_generate").status == 200
    assert server.log.count("Prefill batch.") == before + 1


def test_health_is_503_until_it_is_ready() -> None:
    with engine("--simulate-start-s", "20") as starting:  # 1 s, a tenth of it after the port is open
        assert starting.get("/health").status == 503
        assert complete(starting, prompt=[1]).status == 503
        assert "/v1/completions" not in starting.ready().log.split("ready to roll")[1]
        assert starting.get("/health").status == 200


def test_a_client_that_leaves_frees_its_place() -> None:
    with engine("--max-running-requests", "1", "--simulate-speed", "1") as running:
        running.ready()
        address = urllib.parse.urlsplit(running.url)
        left = http.client.HTTPConnection(address.hostname or "", address.port)
        long = {"prompt": [1, 2], "max_tokens": 100_000, "ignore_eos": True, "stream": True}
        left.request("POST", "/v1/completions", json.dumps(long))
        left.getresponse().read(10)
        before = time.monotonic()
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(complete, running, prompt=[3], max_tokens=2)
            left.close()
            assert waiting.result(10).json["usage"]["completion_tokens"] == 2
        assert time.monotonic() - before < 5
        assert 'num_used_tokens{model_name="llama",engine_type="unified",tp_rank="0",pp_rank="0"} 0' in (
            running.get("/metrics").text
        )


def test_many_at_once_all_get_their_exact_lengths() -> None:
    with engine("--max-running-requests", "3", "--stream-interval", "4", "--decode-log-interval", "1") as running:
        running.ready()
        start = threading.Barrier(24)

        def one(i: int) -> tuple[int, int]:
            start.wait()
            events = complete(
                running,
                prompt=[i] * (50 + i),
                max_tokens=100 + i,
                stream=True,
                stream_options={"include_usage": True},
            ).events
            words = "".join(event["choices"][0]["text"] for event in events[:-1]).split()
            assert len(events) < 40  # several tokens a piece
            return len(words), events[-1]["usage"]["completion_tokens"]

        with ThreadPoolExecutor(24) as pool:
            assert list(pool.map(one, range(24))) == [(100 + i, 100 + i) for i in range(24)]
        decodes = re.findall(r"Decode batch. #running-req: (\d+)", running.log)
        assert max(map(int, decodes)) == 3


def test_with_a_full_queue_more_are_turned_away() -> None:
    with engine("--max-running-requests", "1", "--max-queued-requests", "2", "--simulate-speed", "2") as running:
        running.ready()
        with ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(complete, running, prompt=[i], max_tokens=100) for i in range(12)]
            statuses = [each.result().status for each in asked]
        assert statuses.count(200) >= 2
        assert statuses.count(503) >= 5
        assert set(statuses) == {200, 503}


def test_no_usage_when_told_so() -> None:
    with engine("--simulate-no-usage") as running:
        running.ready()
        assert "usage" not in complete(running, prompt=[1]).json
        events = complete(running, prompt=[1], stream=True, stream_options={"include_usage": True}).events
        assert len(events) == 12


def test_replicas_share_the_requests() -> None:
    with engine("--dp-size", "2") as running:
        running.ready()
        for i in range(4):
            complete(running, prompt=[i])
        assert running.log.count(" DP0] Prefill batch.") == running.log.count(" DP1] Prefill batch.") + 1 == 3
        assert len(running.get("/server_info").json["internal_states"]) == 2
