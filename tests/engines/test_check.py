"""What a task's author reads when a flag is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tuner_tui.engines.check import check
from tuner_tui.task.model import Benchmark, Model, Objective, Parameter, ParameterSpace, Task, Value
from tuner_tui.task.problem import Problem
from tuner_tui.task.reading import Reading


def problems(
    engine: str,
    parameters: dict[str, list[Value]],
    *,
    unchecked: dict[str, list[Value]] | None = None,
    linked: tuple[dict[str, Value], ...] = (),
    image: str | None = None,
    places: dict[str, tuple[int, int]] | None = None,
    **task_fields: Any,
) -> list[Problem]:
    space = ParameterSpace(
        parameters=(
            *(Parameter(name=name, values=tuple(values)) for name, values in parameters.items()),
            *(Parameter(name=name, values=tuple(values), checked=False) for name, values in (unchecked or {}).items()),
        ),
        linked=linked,
    )
    task = None
    if image or task_fields:
        task = Task(
            name="t",
            file="t.yaml",
            engine=engine,  # type: ignore[arg-type]
            model=Model(given="org/m", kind="hub", hub_id="org/m"),
            space=space,
            benchmark=Benchmark(traffic=("D(1,1)",), concurrency=(1,)),
            objective=Objective(name="minimize_latency", direction="minimize", metric="e2e"),
            image=image,
            **task_fields,
        )
    reading = Reading(file="t.yaml", lines=[], places=places or {}, engine=engine, space=space, task=task)
    return check(reading)


def one(*args: Any, **named: Any) -> str:
    [problem] = problems(*args, **named)
    return f"{problem.severity}: {problem.key}: {problem.message}"


def test_a_good_configuration_has_no_problem() -> None:
    assert (
        problems(
            "sglang",
            {
                "mem_fraction_static": [0.7, 0.8, None],
                "tp": [1],
                "chunked-prefill-size": [-1, 2048, "4096"],
                "max-total-tokens": ["64k", 1000],
                "enable-mixed-chunk": [False, True],
                "cuda-graph-bs-decode": [[1, 2], 4],
                "schedule-policy": ["lpm"],
            },
        )
        == []
    )
    assert (
        problems(
            "vllm",
            {
                "max-model-len": ["auto", 4096, "8k"],
                "compilation-config": [3, '{"level": 1}'],
                "compilation-config.mode": [3],
                "no-enable-prefix-caching": [True, False],
                "max-lora-rank": [16],
            },
        )
        == []
    )


@pytest.mark.parametrize(
    ("engine", "name", "value", "message"),
    [
        ("sglang", "mem-fraction-static", 1.2, "1.2 is not a fraction (0–1)"),
        ("sglang", "mem-fraction-static", "most", "expected a fraction (0–1), found the text 'most'"),
        ("sglang", "mem-fraction-static", float("nan"), "expected a fraction (0–1), found nan"),
        ("sglang", "tp-size", "abc", "expected an integer, found the text 'abc'"),
        ("sglang", "tp-size", 1.5, "expected an integer, found 1.5"),
        ("sglang", "tp-size", 0, "0 is too small, expected at least 1"),
        ("sglang", "tp-size", True, "expected an integer, found the switch value true"),
        ("sglang", "max-total-tokens", "64x", "expected an integer (2k, 1M are fine too), found the text '64x'"),
        ("sglang", "enable-mixed-chunk", 1, "this is a switch: expected true or false, found 1"),
        (
            "sglang",
            "schedule-policy",
            "lmp",
            "'lmp' is not one of lpm, random, fcfs, dfs-weight, lof, priority, routing-key, hrrn, "
            "shortest-prefill-first; did you mean `lpm`?",
        ),
        ("sglang", "served-model-name", True, "expected a text, found the switch value true"),
        ("sglang", "page-size", [1, 2], "takes one value, found a list of 2 inside the list of values to try"),
        ("sglang", "cuda-graph-bs-decode", [1, "x"], "expected an integer, found the text 'x'"),
        ("sglang", "cuda-graph-bs-decode", [], "takes at least one value, found an empty list"),
        ("vllm", "max-model-len", "big", "expected an integer (2k, 1M are fine too) or auto, found the text 'big'"),
        ("vllm", "optimization-level", 7, "7 is out of range, expected 0 to 3"),
        (
            "vllm",
            "speculative-config",
            "{method: ngram}",
            "expected JSON in one text, found the text '{method: ngram}' (Expecting property name enclosed in double "
            "quotes: line 1 column 2 (char 1))",
        ),
        ("vllm", "no-enable-prefix-caching", 3, "this is a switch: expected true or false, found 3"),
    ],
)
def test_a_value_that_does_not_suit(engine: str, name: str, value: Value, message: str) -> None:
    assert one(engine, {name: [value]}) == f"error: parameters.{name}: {message}"


@pytest.mark.parametrize(
    ("engine", "name", "message"),
    [
        ("sglang", "max-num-seqs", "this is a vLLM flag: `max-num-seqs`; SGLang's name is `max-running-requests`"),
        ("vllm", "mem_fraction_static", "this is a SGLang flag: `mem-fraction-static`; vLLM has `gpu-memory-utiliz"),
        (
            "sglang",
            "enable-prefix-caching",
            "this is a vLLM flag: `enable-prefix-caching`; SGLang has `disable-radix-cache`: the opposite",
        ),
        (
            "sglang",
            "no_enable_prefix_caching",
            "this is a vLLM flag: `no-enable-prefix-caching`; SGLang's name is `disable-radix-cache`",
        ),
        ("vllm", "decode-log-interval", "this is a SGLang flag: `decode-log-interval`; vLLM has no such flag"),
        ("sglang", "mem-fraction-statik", "SGLang (0.5.23) has no flag `mem-fraction-statik`; did you mean `mem-frac"),
        ("sglang", "mem", "SGLang (0.5.23) has no flag `mem`; did you mean `mem-fraction-static`?"),
        ("vllm", "qqqqqq", "vLLM (0.32.0) has no flag `qqqqqq`. A flag that is newer than this catalogue goes under"),
        ("sglang", "host", "`host` cannot be set here: the tuner chooses the address"),
        ("sglang", "model_path", "`model-path` cannot be set here: the model is the task's `model:`"),
        ("vllm", "model", "`model` cannot be set here: the model is the task's `model:`"),
        (
            "vllm",
            "hf-token",
            "`hf-token` cannot be set here: a secret must not stand in a command line; export HF_TOKEN",
        ),
        (
            "simulated",
            "max-num-seqs",
            "this is a flag of vLLM, and the simulated engine does not take it; it knows `max-ru",
        ),
    ],
)
def test_a_flag_that_cannot_be_used(engine: str, name: str, message: str) -> None:
    assert one(engine, {name: [1]}).startswith(f"error: parameters.{name}: {message}")


def test_places_are_those_of_the_value_and_of_the_linked_entry() -> None:
    places = {"parameters.tp-size": (3, 3), "parameters.tp-size[1]": (3, 17), "linked[1].page-size": (5, 20)}
    found = problems(
        "sglang",
        {"tp-size": [1, 0], "max-running-requests": [0, -1]},
        linked=({"page-size": 1}, {"page-size": "x"}),
        places=places,
    )
    assert [(problem.key, problem.line, problem.column) for problem in found] == [
        ("parameters.tp-size[1]", 3, 17),
        ("parameters.max-running-requests", 0, 0),  # a range: said once for all of its values
        ("linked[1].page-size", 5, 20),
    ]


def test_unchecked_flags_pass_unless_the_tuner_sets_them() -> None:
    assert problems("sglang", {}, unchecked={"some-new-flag": [1, "x"], "tp-size": ["many"]}) == []
    assert one("vllm", {}, unchecked={"port": [8000]}).startswith("error: unchecked.port: `port` cannot be set here")


def test_two_names_of_one_flag_are_noticed() -> None:
    assert one("sglang", {"tp": [1], "tensor-parallel-size": [2]}).endswith(
        "`tensor-parallel-size` and `tp` are the same flag; keep one of them"
    )
    assert one("sglang", {"tp": [1]}, linked=({"tp-size": 2},)).startswith("error: linked[0].tp-size: ")
    assert problems("sglang", {}, linked=({"tp": 1}, {"tp-size": 2})) == []


def test_an_old_name_depends_on_the_image() -> None:
    old: dict[str, list[Value]] = {"cuda-graph-max-bs": [8]}
    assert problems("sglang", old, image="lmsysorg/sglang:v0.5.2-cu126") == []
    assert one("sglang", old, image="lmsysorg/sglang:v0.5.23") == (
        "error: parameters.cuda-graph-max-bs: SGLang 0.5.23 no longer has `cuda-graph-max-bs`; "
        "use `cuda-graph-max-bs-decode`"
    )
    for unknown in ({"image": "mine:latest"}, {"backend": "process"}, {}):
        assert one("sglang", old, **unknown).startswith("warning: parameters.cuda-graph-max-bs: SGLang has ")


def test_a_flag_that_is_younger_than_the_image_is_told_with_what_the_image_takes() -> None:
    parameters: dict[str, list[Value]] = {"attention-data-parallel-size": [1, 2]}
    assert one("sglang", parameters, image="lmsysorg/sglang:v0.5.19-cu129") == (
        "warning: parameters.attention-data-parallel-size: SGLang has `attn-dp-size` since about version 0.5.22, and "
        "the image is of 0.5.19; there use enable-dp-attention with dp-size"
    )
    assert one("sglang", {"cuda-graph-max-bs-decode": [8]}, image="lmsysorg/sglang:v0.5.2").endswith(
        "and the image is of 0.5.2; there use `cuda-graph-max-bs`"
    )
    assert one("vllm", {"stream-interval": [8]}, image="vllm/vllm-openai:v0.10.2").endswith("the image is of 0.10.2")
    linked: tuple[dict[str, Value], ...] = ({"attn-dp-size": 1}, {"attn-dp-size": 2})
    assert one("sglang", {}, linked=linked, image="lmsysorg/sglang:v0.5.19").startswith(
        "warning: linked[0].attn-dp-size"
    )
    for image in ("v0.5.22", "v0.5.22rc1", "latest", "dev-cu13", "v0.5.19-nightly-20261120", "v0.5.19.dev20261120"):
        assert problems("sglang", parameters, image=f"lmsysorg/sglang:{image}") == []
    assert problems("sglang", parameters, image="host:5000/sglang@sha256:0123") == []
    assert problems("sglang", parameters, backend="process") == []
    # Who builds an image of the engine in their own counts versions of their own.
    old: dict[str, list[Value]] = {"attention-backend": ["FLASH_ATTN"]}
    for image in ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.6.0", "team/my-vllm:0.1.0"):
        assert problems("vllm", old, image=image) == []
    assert len(problems("vllm", old, image="mirror:5000/vllm/vllm-openai:v0.11.0")) == 1
    assert one("vllm", {"swap-space": [1]}, image="rhaiis/vllm-cuda-rhel9:3.2.1").startswith("warning: ")
    assert problems("sglang", {}, unchecked={"attn-dp-size": [2]}, image="lmsysorg/sglang:v0.5.19") == []
    assert problems("simulated", {"cuda-graph-max-bs-decode": [8]}, image="mine/simulated:0.1.0") == []


def test_the_simulated_engine_takes_some_of_sglang_s_flags_and_its_own() -> None:
    good: dict[str, list[Value]] = {"mem-fraction-static": [0.8], "simulate-noise": [0.1], "cuda-graph-max-bs": [8]}
    assert problems("simulated", good) == []
    assert one("simulated", {"ep-size": [2]}) == (
        "error: parameters.ep-size: this is a flag of SGLang, and the simulated engine does not take it"
    )
    assert one("sglang", {"simulate-noise": [0.1]}).startswith(
        "error: parameters.simulate-noise: SGLang (0.5.23) has no"
    )


def test_an_unknown_engine_is_the_reader_s_business() -> None:
    assert problems("sglnag", {"x": [1]}) == []
    assert check(Reading(file="t.yaml", lines=[], engine="vllm")) == []
