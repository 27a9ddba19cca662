"""`tuner-tui inspect` as a person and a script use it."""

from __future__ import annotations

import bz2
import codecs
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_data import shared


def tuner_inspect(*arguments: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tuner_tui", "inspect", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, env={"COLUMNS": "80", "LC_ALL": "C.UTF-8"})


def test_the_json_has_what_was_promised_and_nothing_else_is_printed() -> None:
    done = tuner_inspect(shared("logs/vllm-0.32.0-cpu-kv-too-small.log"), "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads(done.stdout)
    assert {
        *("engine", "version", "cuda_version", "attention_backend", "graphs_enabled", "arguments", "ready", "gpus"),
        *("timeline", "memory", "max_concurrency", "throughput", "running", "errors"),
    } <= document.keys()
    assert {
        *(
            "weights_gib",
            "kv_cache_gib",
            "kv_cache_tokens",
            "graphs_gib",
            "activation_gib",
            "available_gib",
            "total_gib",
        )
    } == document["memory"].keys()
    assert document["throughput"]["decode_tokens_per_s"].keys() == {"max", "median"}
    first = document["errors"][0]
    assert (first["class"], first["line_number"]) == ("kv_cache_too_small", 28)
    assert first["fix"] == {"set": {"max-model-len": 1152}}


def test_a_page_of_80_columns_for_a_person() -> None:
    done = tuner_inspect(shared("logs/sglang-0.5.2-exp1-startup-cr-progress.log"))
    page = done.stdout.decode()
    assert done.returncode == 0
    assert max(map(len, page.splitlines())) <= 80
    assert page.splitlines()[0] == "SGLang · LlamaForCausalLM · bfloat16 · attention fa3 · graphs on · CUDA 12.6.1"
    assert "  12:09:33  capture graphs       35     15.99 s" in page
    assert "2,094,537 tokens" in page


def test_errors_come_with_advice_and_fix() -> None:
    page = tuner_inspect(shared("logs/nccl-shm-too-small.log")).stdout.decode()
    assert "line 3: shared memory too small" in page
    assert "fix: docker.shm_size: 16g" in page


def test_the_deciding_error_in_full_without_prefixes_and_the_others_on_a_line_each() -> None:
    page = tuner_inspect(shared("logs/vllm-0.32.0-cpu-kv-too-small.log")).stdout.decode()
    wrong = page[page.index("What went wrong") :].splitlines()
    assert wrong[1] == "  line 28: kv cache too small"
    assert wrong[2].startswith("    ValueError: To serve at least one request")
    assert "    fix: max-model-len 1152" in wrong
    assert wrong[-1].startswith("  line 29: engine process died | Worker proc VllmWorker-0 died")
    assert max(map(len, wrong)) <= 80


def test_a_pipe(tmp_path: Path) -> None:
    log = b"[2026-01-01 10:00:00] Load weight begin. avail mem=79.00 GB\r\n"
    (tmp_path / "x.log").write_bytes(log)
    piped, saved = tuner_inspect("-", "--json", stdin=log), tuner_inspect(tmp_path / "x.log", "--json")
    assert piped.stdout == saved.stdout
    assert json.loads(piped.stdout)["memory"]["total_gib"] == 79.0


def test_the_engine_may_be_named() -> None:
    log = b"INFO:     Application startup complete.\n"
    assert json.loads(tuner_inspect("-", "--json", stdin=log).stdout)["ready"] is False
    assert json.loads(tuner_inspect("-", "--json", "--engine", "vllm", stdin=log).stdout)["ready"] is True


SAVED = b"[2026-01-01 10:00:00] Load weight begin. avail mem=79.00 GB\n" * 3


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(SAVED),
        gzip.compress(SAVED[:70]) + gzip.compress(SAVED[70:]) + b"\0" * (2 << 20),
        SAVED.decode().replace("\n", "\r\n").encode("utf-16"),
        codecs.BOM_UTF16_BE + SAVED.decode().encode("utf-16-be"),
        gzip.compress(SAVED.decode().encode("utf-16")),
        b"\0" * 100_000 + SAVED,
    ],
    ids=["gzip", "gzip in parts", "PowerShell", "big-endian", "both", "cut while it was written"],
)
def test_a_log_is_read_however_it_was_saved(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(content)
    for done in (tuner_inspect(tmp_path / "x.log", "--json"), tuner_inspect("-", "--json", stdin=content)):
        document = json.loads(done.stdout)
        assert (document["engine"], document["memory"]["total_gib"]) == ("sglang", 79.0)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bytes(range(256)) * 40, "binary data"),
        (bz2.compress(SAVED), "binary data"),
        (gzip.compress(bytes(range(256)) * 40), "binary data"),
        (SAVED.decode().encode("utf-16-le"), "binary data"),
        (gzip.compress(SAVED)[:-9], "the gzip file has no end"),
        (b"\x1f\x8b" + SAVED, "the gzip file is damaged"),
    ],
    ids=["bytes", "bzip2", "gzipped bytes", "UTF-16 without its mark", "cut", "damaged"],
)
def test_what_is_no_text_is_said_in_one_sentence(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(content)
    for done in (tuner_inspect(tmp_path / "x.log"), tuner_inspect("-", stdin=content)):
        assert (done.returncode, done.stdout) == (2, b"")
        [sentence] = done.stderr.decode().splitlines()
        assert why in sentence
        assert sentence.endswith("expected a saved log, gzipped or not, or - for a pipe")


def test_an_engine_on_a_cpu_has_no_gpu_memory() -> None:
    for log in ("vllm-0.32.0-cpu-startup.log", "sglang-0.5.23-cpu-startup.log"):
        page = tuner_inspect(shared(f"logs/{log}")).stdout.decode()
        assert "\nMemory, GiB" in page
        assert "GPU memory" not in page
    assert "\nGPU memory, GiB" in tuner_inspect("-", stdin=SAVED).stdout.decode()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"dear diary\n", "caf\xe9\n".encode("latin-1")])
def test_a_file_that_is_no_log_says_nothing_and_is_no_failure(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    for options in ([], ["--json"]):
        done = tuner_inspect(tmp_path / "x", *options)
        assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["engine"] is None
    assert tuner_inspect(tmp_path / "x").stdout.startswith(b"Nothing in this log")


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "nosuch.log", tmp_path):
        done = tuner_inspect(path, "--json")
        assert (done.returncode, done.stdout) == (2, b"")
        [sentence] = done.stderr.decode().splitlines()
        assert str(path) in sentence


def test_nothing_in_a_log_can_steer_the_terminal(tmp_path: Path) -> None:
    line = "\x1b]0;owned\x07ValueError: \x1b[2J[bold]x[/bold] \x9b31m\n"
    (tmp_path / "x.log").write_text(line)
    page = tuner_inspect(tmp_path / "x.log").stdout
    assert b"\x1b" not in page
    assert b"[bold]x[/bold]" in page
    assert "\x9b" not in page.decode()
