"""Every recorded log yields what a careful person reads in it: `expectations.yaml`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared_data import FOLDER, shared
from tuner_tui.engines.inspection import CLASSES, Inspection, inspect

EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("expectations.yaml").read_text())


def read(name: str) -> dict[str, Any]:
    return document(inspect([shared(f"logs/{name}").read_bytes()]))


def document(found: Inspection) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(msgspec.json.encode(found))
    return plain


def said(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_log(name: str) -> None:
    expected, found = EXPECTED[name], read(name)
    for field in (
        *("engine", "version", "cuda_version", "attention_backend", "graphs_enabled", "model_type", "dtype"),
        *("kv_cache_dtype", "max_concurrency"),
    ):
        assert found[field] == expected.get(field), field
    assert (found["ready"], found["gpus"]) == (expected["ready"], expected["gpus"])
    assert said(found["memory"]) == expected.get("memory", {})
    assert {step["phase"]: step["seconds"] for step in found["timeline"]} == expected.get("phases", {})
    throughput = expected.get("throughput", {})
    for kind in ("decode_tokens_per_s", "prefill_tokens_per_s"):
        assert found["throughput"][kind] == throughput.get(kind, {"max": None, "median": None})
    running = expected.get("running")
    nothing = dict.fromkeys(("requests_max", "queued_max", "token_usage_max", "cache_hit_rate", "accept_length"))
    if running is None:
        assert found["running"] == {**nothing, "retractions": 0}
    else:
        assert {key: value for key, value in found["running"].items() if value} == running
    errors = [[error["class"], error["line_number"]] for error in found["errors"]]
    assert errors == expected.get("errors", [])
    assert {error["class"] for error in found["errors"]} <= CLASSES
    assert all(error["advice"] and error["line"] for error in found["errors"])
    if errors:
        assert found["errors"][0]["fix"] == expected.get("fix")


def test_no_recorded_log_was_forgotten() -> None:
    logs = {path.name for path in (FOLDER / "logs").glob("*.log")}
    if not logs:
        pytest.skip(f"no recorded logs under {FOLDER}")
    assert logs == EXPECTED.keys()


@pytest.mark.parametrize(
    ("number", "kv_gib", "tokens", "graphs_s"), [(1, 63.92, 2_094_537, 15.99), (2, 73.40, 2_405_039, 16.22)]
)
def test_a_whole_run_on_a_real_gpu(number: int, kv_gib: float, tokens: int, graphs_s: float) -> None:
    results = json.loads(shared("data/seed-run/docker-simple-tune_results.json").read_text())
    log = results["all_results"][number - 1]["container_logs"].encode()
    found = document(inspect([log]))
    assert (found["memory"]["weights_gib"], found["memory"]["total_gib"]) == (2.41, 94.76)
    assert (found["memory"]["kv_cache_gib"], found["memory"]["kv_cache_tokens"]) == (kv_gib, tokens)
    [graphs] = [step for step in found["timeline"] if step["phase"] == "capture_graphs"]
    assert (graphs["steps"], graphs["seconds"]) == (35, graphs_s)
    speeds = found["throughput"]["decode_by_requests"]
    assert speeds["1"] == pytest.approx(650, rel=0.02)
    assert speeds["4"] == pytest.approx(2500, rel=0.02)
    assert found["running"]["requests_max"] == 4
    assert found["arguments"]["mem_fraction_static"] == (0.7 if number == 1 else 0.8)
    assert len(found["arguments"]) > 200
    assert found["errors"] == []


NAMES = sorted(EXPECTED)


@given(st.sampled_from(NAMES), st.data())
@settings(max_examples=60, deadline=None)
def test_a_recorded_log_says_the_same_however_it_is_cut(name: str, draws: st.DataObject) -> None:
    log = shared(f"logs/{name}").read_bytes()
    cuts = sorted(draws.draw(st.lists(st.integers(0, len(log)), max_size=12)))
    chunks = [log[a:b] for a, b in zip([0, *cuts], [*cuts, len(log)], strict=True)]
    assert inspect(chunks) == inspect([log])


@given(st.sampled_from(NAMES), st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_log_never_raises(name: str, draws: st.DataObject) -> None:
    log = bytearray(shared(f"logs/{name}").read_bytes())
    for place in draws.draw(st.lists(st.integers(0, max(len(log) - 1, 0)), max_size=30)):
        log[place] = draws.draw(st.integers(0, 255))
    json.dumps(document(inspect([bytes(log)])), allow_nan=False)
