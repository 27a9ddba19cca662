"""A configuration as a command line."""

from argparse import ArgumentParser

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.engines.command import flags
from tuner_tui.engines.registry import engine
from tuner_tui.task.model import Configuration


def line(name: str, configuration: Configuration) -> list[str]:
    return flags(engine(name), configuration, catalogue(engine(name).catalogue))


def test_sglang_gets_its_metrics_and_switches_that_are_on() -> None:
    assert line(
        "sglang",
        {
            "mem-fraction-static": 0.8,
            "tp_size": 2,
            "enable-mixed-chunk": True,
            "disable-radix-cache": False,
            "context-length": None,
            "cuda-graph-bs-decode": [1, 2, 4],
        },
    ) == [
        "--enable-metrics",
        "--mem-fraction-static",
        "0.8",
        "--tp-size",
        "2",
        "--enable-mixed-chunk",
        "--cuda-graph-bs-decode",
        "1",
        "2",
        "4",
    ]


def test_the_task_s_own_word_on_metrics_is_the_last() -> None:
    assert line("sglang", {"enable_metrics": False}) == []
    assert line("sglang", {"enable-metrics": True}) == ["--enable-metrics"]


def test_vllm_turns_a_switch_off_by_its_no_form() -> None:
    assert line("vllm", {"enable-prefix-caching": False, "enforce-eager": True, "headroom": False}) == [
        "--no-enable-prefix-caching",
        "--enforce-eager",
    ]
    assert line("vllm", {"no-enable-prefix-caching": True}) == ["--no-enable-prefix-caching"]
    assert line("vllm", {"no-enable-prefix-caching": False}) == []


def test_an_abbreviation_becomes_the_full_name_an_alias_stays() -> None:
    assert line("vllm", {"tp": 2, "device-memory-utilization": 0.5}) == [
        "--tensor-parallel-size",
        "2",
        "--device-memory-utilization",
        "0.5",
    ]


def test_a_value_that_begins_with_a_dash_is_glued_a_negative_number_is_not() -> None:
    assert line("vllm", {"compilation-config": "-O3", "max-model-len": -1}) == [
        "--compilation-config=-O3",
        "--max-model-len",
        "-1",
    ]


def test_a_negative_number_that_argparse_takes_for_a_flag_is_glued() -> None:
    written: dict[str | float, list[str]] = {
        "-1": ["--x", "-1"],
        "-.5": ["--x", "-.5"],
        -0.25: ["--x", "-0.25"],
        "-1e3": ["--x=-1e3"],
        -1e-7: ["--x=-1e-07"],
        "-inf": ["--x=-inf"],
        "-1.": ["--x=-1."],
    }
    for value, words in written.items():
        assert line("vllm", {"x": value}) == words
        parser = ArgumentParser()
        parser.add_argument("--x", type=float)
        assert parser.parse_args(words).x == float(value)


def test_json_goes_through_untouched() -> None:
    text = '{"method": "ngram", "num_speculative_tokens": 3}'
    assert line("vllm", {"speculative-config": text}) == ["--speculative-config", text]
