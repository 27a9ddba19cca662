"""Whatever a file holds, reading it ends in a Reading whose places lie in the file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.task.reading_of import REST
from tuner_tui.task.reader import read
from tuner_tui.task.task_keys import KEYS
from tuner_tui.task.units import cpu_set, duration_s, size_bytes

_WORDS = st.sampled_from(
    [*KEYS, "task_name", "base_runtime", "traffic", "concurrency", "max_time", "from", "to", "step", "times",
     "D(100,100)", "D(0,1)", "sglang", "simulated", "./", "~x/y", "$HOME", "$X{", "tp-size", "tp_size <= gpus", "1:30",
     "010", "1e999", "-", "=", "<<", "\0", "\ud800"]
)  # fmt: skip
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _WORDS, st.text(max_size=8))
_TREES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=5), below, max_size=5),
    max_leaves=25,
)
_TASKS = st.dictionaries(st.sampled_from([*KEYS, "task_name", "optimization"]), _TREES, max_size=8)


def _check(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "task.yaml")
        path.write_bytes(data)
        reading = read(path)
    for problem in reading.problems:
        assert problem.message
        assert "\n" not in problem.message
        assert 0 <= problem.line <= len(reading.lines) or not reading.lines
        assert str(problem)
    assert (reading.task is None) == any(problem.severity == "error" for problem in reading.problems)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"a: !!int x")
@example(b"a: !!timestamp 2001-99-99")
@example(b"a: !<x> y")
@example(b"a: !!str [1]")
@example(b"a: !!seq x")
@example(b"a: 0x")
@example(b"a: " + b"9" * 5000)
@example(b"a: &x *x")
@example(b"? [a]\n: b")
@example(b"? !!python/name:os.system x\n: b")
@example(b"<<: 3")
@example(b"<<: [{a: 1}, 2]")
@example(b"%YAML 3.0\n---\na: 1")
@example(b"\x85a\x85: \x85b: c: d")
@example(b"{\t")
@example(b'{"a": "\\ud83d"}')
@example(b"a\x00b")
@settings(max_examples=300, deadline=None)
def test_any_bytes(data: bytes) -> None:
    _check(data)


@given(_TREES | _TASKS)
@settings(max_examples=300, deadline=None)
def test_any_tree(tree: Any) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    _check(text.encode("utf-8", "surrogatepass"))


@given(_TASKS)
@settings(max_examples=200, deadline=None)
def test_any_keys_beside_a_good_rest(tree: dict[str, Any]) -> None:
    rest = {**yaml.safe_load(REST), **tree}
    _check(yaml.safe_dump(rest, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass"))


@given(st.text(max_size=12))
@settings(max_examples=200, deadline=None)
def test_units_raise_nothing_but_value_errors(text: str) -> None:
    for convert in (duration_s, size_bytes, cpu_set):
        try:
            convert(text)
        except ValueError:
            continue
