"""The catalogues hold together: names lead somewhere, defaults pass their own checks, texts are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.engines.check_value import value_problem
from tuner_tui.engines.equivalents import _DIFFERS, PAIRS, counterpart
from tuner_tui.engines.registry import ENGINES, engine

NAMES = ("sglang", "vllm", "simulated")


@pytest.mark.parametrize("name", NAMES)
def test_every_default_passes_its_own_check(name: str) -> None:
    wrong = {flag.name: value_problem(flag, flag.default) for flag in catalogue(name).flags.values()}
    assert {key: problem for key, problem in wrong.items() if problem} == {}


@pytest.mark.parametrize("name", ("sglang", "vllm"))
def test_all_flags_of_the_installed_versions_are_there_and_the_main_ones_are_explained(name: str) -> None:
    known = catalogue(name)
    assert len(known.flags) > 300
    assert sum(bool(flag.does) for flag in known.flags.values()) >= 60
    assert not known.gone.keys() & known.flags.keys()
    assert all(gone.use in known.flags for gone in known.gone.values() if gone.use)
    assert all(not flag.does or flag.does[-1] == "." for flag in known.flags.values())


def test_both_names_of_every_pair_exist() -> None:
    for sglang, vllm in PAIRS:
        assert sglang in catalogue("sglang").flags
        assert catalogue("vllm").full_name(vllm) == vllm
    assert set(_DIFFERS) <= {sglang for sglang, _ in PAIRS}


def test_a_switch_that_the_other_engine_has_the_other_way_round_is_told_as_its_opposite() -> None:
    def words(name: str, to: str) -> str:
        there = counterpart(name, to=to)
        return there.words() if there else ""

    assert words("disable-radix-cache", "vllm") == "no-enable-prefix-caching"
    assert words("no-enable-prefix-caching", "sglang") == "disable-radix-cache"
    assert words("enable-prefix-caching", "sglang") == "disable-radix-cache: the opposite"
    assert words("no-enforce-eager", "sglang") == "disable-cuda-graph: the opposite"
    assert words("max-num-seqs", "sglang") == "max-running-requests"
    assert words("no-max-num-seqs", "vllm") == ""


def test_a_flag_is_found_by_any_of_its_names() -> None:
    sglang, vllm = catalogue("sglang"), catalogue("vllm")
    for name in ("tp-size", "tp_size", "--tp-size", "tensor-parallel-size", "tp"):
        found = sglang.find(name)
        assert found is not None
        assert found.name == "tp-size"
    assert vllm.find("tp") is vllm.flags["tensor-parallel-size"]
    assert vllm.find("no-enable-prefix-caching") is vllm.flags["enable-prefix-caching"]
    assert sglang.find("no-disable-radix-cache") is None
    dotted = vllm.find("compilation_config.cudagraph_mode")
    assert dotted is not None
    assert dotted.name == "compilation-config.cudagraph_mode"
    assert vllm.find("max-num-seqs.x") is None


def test_engines_lead_to_their_catalogues() -> None:
    for name in NAMES:
        assert catalogue(engine(name).catalogue).engine == name
    assert [known.simulated for known in ENGINES.values()] == [False, False, True]
    assert engine("vllm").model_flag is None


def test_the_simulated_engine_takes_its_whole_catalogue() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "tuner_tui.engines.simulated", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "500"},  # argparse breaks a narrow help text at a flag's hyphens
    ).stdout
    taken = set(re.findall(r"--([a-z][a-z0-9-]+)", help_text))
    known = catalogue("simulated")
    named = {name for flag in known.flags.values() if not flag.refused for name in (flag.name, *flag.aliases)}
    assert {name for name in named if name not in taken and known.by_name[name].name not in taken} == set()
    assert {name for name in taken if known.find(name) is None} == set()
