"""Every kind of load at real vLLM and real SGLang, held against what the engine itself counted."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, NamedTuple

import msgspec
import pytest

from tests.conftest import ENGINES
from tuner_tui.load.bench import bench
from tuner_tui.load.dataset import Dataset
from tuner_tui.load.metrics import read_records
from tuner_tui.load.model import Job, Level, LevelResult, RequestRecord
from tuner_tui.runner.engine_metrics import read_once

pytestmark = pytest.mark.acceptance
RUN = Path(__file__).with_name("run")
MODEL = ENGINES / "models" / "tiny-llama"
Name = Literal["vllm", "sglang"]
BOTH = [pytest.param("vllm", marks=pytest.mark.vllm), pytest.param("sglang", marks=pytest.mark.sglang)]
PROMPT, OUTPUT, REQUESTS = 60, 20, 24
SCENARIO = f"D({PROMPT},{OUTPUT})"
START_S = 240


class Served(NamedTuple):
    engine: Name
    url: str


@contextmanager
def server(engine: Name, log: Path, *flags: str, certificate: Path | None = None) -> Iterator[Served]:
    """A real engine on core 0; with a certificate, by TLS."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if certificate is not None:
        flags += ("--ssl-certfile", str(certificate), "--ssl-keyfile", str(certificate.with_name("key.pem")))
    url = f"http{'s' if certificate else ''}://127.0.0.1:{port}"
    trusted = ssl.create_default_context(cafile=certificate) if certificate else None
    command = ["taskset", "-c", "0", str(RUN), engine, "process", str(port), "--dtype", "float32", *flags]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
    try:
        deadline = time.monotonic() + START_S
        while True:
            assert process.poll() is None, log.read_text(errors="replace")[-2_000:]
            assert time.monotonic() < deadline, f"{engine} was not ready within {START_S} s"
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=2, context=trusted):
                    break
            except OSError:
                time.sleep(0.5)
        yield Served(engine, url)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module", params=BOTH)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with server(request.param, tmp_path_factory.mktemp("engine") / "log") as running:
        yield running


class Measured(NamedTuple):
    result: LevelResult
    records: list[RequestRecord]
    prompt_tokens: float
    """By the engine's own counters, warm-up included …"""
    generated_tokens: float
    cached_tokens: float | None


async def measured(served: Served, folder: Path, level: Level, **options: Any) -> Measured:
    """One level; the engine is asked before and after it."""
    records = folder / "requests.jsonl"
    before = await read_once(served.url)
    job = Job(url=served.url, records=str(records), max_requests=REQUESTS, **options)
    [result] = await bench(job, [level], cpus="1")
    after = await read_once(served.url)
    assert before is not None
    assert after is not None

    def counted(name: str) -> float:
        return (getattr(after, name) or 0.0) - (getattr(before, name) or 0.0)

    assert (result.succeeded, result.failed, result.wrong_length) == (REQUESTS, 0, 0), result.errors
    cached = counted("cached_tokens")
    return Measured(result, read_records(records), counted("prompt_tokens"), counted("generated_tokens"), cached)


def assert_the_engine_counted_the_same(found: Measured, warm_up: int, *, questions: tuple[int, int] = (0, 0)) -> None:
    """`questions`: prompt and output tokens of what was asked to find out how long texts are."""
    result = found.result
    assert result.output_tokens == REQUESTS * OUTPUT
    assert result.prompt_tokens == result.asked_prompt_tokens == REQUESTS * PROMPT
    assert found.prompt_tokens == (REQUESTS + warm_up) * PROMPT + questions[0]
    assert found.generated_tokens == (REQUESTS + warm_up) * OUTPUT + questions[1]


async def test_a_constant_rate(served: Served, tmp_path: Path) -> None:
    found = await measured(served, tmp_path, Level(scenario=SCENARIO, request_rate=4))
    assert_the_engine_counted_the_same(found, 8)
    due_s = sorted(record.scheduled_s or 0.0 for record in found.records)
    assert due_s == pytest.approx([index / 4 for index in range(REQUESTS)])
    assert found.cached_tokens == 0
    metrics = found.result.metrics
    assert metrics.achieved_rate == pytest.approx(4, rel=0.03)
    assert metrics.delay_s is not None
    assert metrics.delay_s.p90 < 0.05


async def test_poisson_arrivals(served: Served, tmp_path: Path) -> None:
    level = Level(scenario=SCENARIO, request_rate=5, arrivals="poisson")
    found = await measured(served, tmp_path, level, seed=11)
    assert_the_engine_counted_the_same(found, 10)
    due_s = sorted(record.scheduled_s or 0.0 for record in found.records)
    gaps_s = [later - earlier for earlier, later in pairwise(due_s)]
    assert min(gaps_s) < 0.05 < 0.35 < max(gaps_s)
    for record in found.records:
        assert record.scheduled_s is not None
        assert 0 <= record.sent_s - record.scheduled_s < 0.1


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
async def test_texts_have_the_asked_length_by_the_engine_s_own_count(
    served: Served, tmp_path: Path, endpoint: Literal["chat", "completions"]
) -> None:
    """Both engines have `/tokenize`, so that nothing is generated to find it out."""
    found = await measured(
        served, tmp_path, Level(scenario=SCENARIO, concurrency=4), endpoint=endpoint, text_prompts=True
    )
    assert {record.prompt_tokens for record in found.records} == {PROMPT}
    assert_the_engine_counted_the_same(found, 8)
    assert all(record.chunks <= OUTPUT for record in found.records)


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
async def test_a_dataset_of_conversations(
    served: Served, tmp_path: Path, endpoint: Literal["chat", "completions"]
) -> None:
    """Outputs are about as long as the recorded answers, by the engine's own tokens."""
    path = tmp_path / "sharegpt.json"
    answers = ["The answer is " + "perhaps " * (2 + number % 7) for number in range(100)]
    conversations = [
        {"id": str(number), "conversations": [
            {"from": "human", "value": f"{number} begins it. What is the capital of country {number}?"},
            {"from": "gpt", "value": "Tell me more."},
            {"from": "human", "value": f"It has {number} rivers, é and 漢字."},
            {"from": "gpt", "value": answer},
        ]}
        for number, answer in enumerate(answers)
    ]  # fmt: skip
    path.write_bytes(msgspec.json.encode(conversations))
    found = await measured(
        served,
        tmp_path,
        Level(scenario="dataset", concurrency=4),
        endpoint=endpoint,
        dataset=str(path),
        seed=3,
    )
    # The eight of the warm-up come first.
    sent = [Dataset(path, 3).entry(number + 8 + 1).answer or "" for number in range(REQUESTS)]
    per_character = fmean(r.output_tokens or 0 for r in found.records) / fmean(map(len, sent))
    assert 0.1 < per_character < 1
    for record in found.records:
        assert record.output_tokens == record.asked_output_tokens
        assert record.finish_reason == "length"
    by_length = sorted((len(answer), record.output_tokens or 0) for answer, record in _in_order(sent, found.records))
    assert [tokens for _, tokens in by_length] == sorted(tokens for _, tokens in by_length)
    assert found.prompt_tokens > found.result.prompt_tokens > 20 * REQUESTS


def _in_order(answers: Sequence[str], records: Sequence[RequestRecord]) -> list[tuple[str, RequestRecord]]:
    return list(zip(answers, sorted(records, key=lambda record: record.index), strict=True))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    try:
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out",
                tmp_path / "cert.pem",
            ],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return tmp_path / "cert.pem"


@pytest.mark.parametrize("engine", BOTH)
async def test_tls(engine: Name, tmp_path: Path, certificate: Path) -> None:
    with server(engine, tmp_path / "log", certificate=certificate) as served:
        job = Job(url=served.url, records="", max_requests=REQUESTS, ca_file=str(certificate))
        [result] = await bench(job, [Level(scenario=SCENARIO, concurrency=4)], cpus="1")
        assert (result.succeeded, result.wrong_length, result.output_tokens) == (REQUESTS, 0, REQUESTS * OUTPUT)
        assert result.metrics.tpot_s is not None
        assert result.metrics.itl_s is not None
        # Each record of TLS is a packet of its own here, so that tokens come one by one as they do without.
        assert result.metrics.itl_s.n == REQUESTS * (OUTPUT - 1)
