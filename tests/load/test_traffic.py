"""What launches that are compared have in common, and what tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tuner_tui.load.dataset import Dataset
from tuner_tui.load.endpoint import Endpoint
from tuner_tui.load.model import Job, Level, RunShare
from tuner_tui.load.prompts import Prompts
from tuner_tui.load.traffic import Traffic


def bodies(scenario: str, seed: int, traffic_seed: int | None, **options: Any) -> list[dict[str, Any]]:
    """The first twenty requests of a launch."""
    job = Job(url="http://127.0.0.1:1", records="", model="m", seed=seed, traffic_seed=traffic_seed, **options)
    level = Level(scenario=scenario, concurrency=4)
    order = RunShare(
        level=0, traffic=level, warm_up=False, zero_s=0, first_serial=9, limit=None, part=0, parts=1, lanes=4,
        watched=True, tickets="",
    )  # fmt: skip
    dataset = Dataset(Path(job.dataset), job.drawn_by) if job.dataset else None
    traffic = Traffic(order, job, Endpoint(job), Prompts(seed), dataset)
    return [msgspec.json.decode(traffic.prepare(index).data.split(b"\r\n\r\n")[1]) for index in range(20)]


def lengths(requests: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(len(request["prompt"]), request["max_tokens"]) for request in requests]


def test_launches_of_a_run_draw_the_same_lengths_and_other_words() -> None:
    one, other = bodies("N(200,50)/(40,9)", 1, 7), bodies("N(200,50)/(40,9)", 2, 7)
    assert lengths(one) == lengths(other)
    assert len(set(lengths(one))) > 15
    assert all(a["prompt"][:2] != b["prompt"][:2] for a, b in zip(one, other, strict=True))


def test_runs_draw_their_own() -> None:
    assert lengths(bodies("U(9,99)/(9,99)", 1, 7)) != lengths(bodies("U(9,99)/(9,99)", 1, 8))
    assert lengths(bodies("U(9,99)/(9,99)", 1, None)) != lengths(bodies("U(9,99)/(9,99)", 2, None))


def test_launches_of_a_run_take_the_same_prompts_of_a_dataset(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(f'{{"prompt": "{number}", "output_tokens": 5}}' for number in range(1_000)))
    one, other, foreign = (bodies("dataset", seed, run, dataset=str(path)) for seed, run in ((1, 7), (2, 7), (1, 8)))
    assert one == other != foreign


def test_an_answer_is_as_long_as_the_recorded_one(tmp_path: Path) -> None:
    path = tmp_path / "sharegpt.jsonl"
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b" * 37}]
    path.write_bytes(msgspec.json.encode({"conversations": turns}) + b"\n")
    request = bodies("dataset", 1, 7, dataset=str(path), tokens_per_character=0.25)[0]
    assert (request["max_tokens"], request["min_tokens"], request["ignore_eos"]) == (9, 9, True)
