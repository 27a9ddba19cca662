"""The arguments that an engine prints of itself, whole or cut off."""

from __future__ import annotations

import pytest

from tuner_tui.engines.arguments import call_arguments
from tuner_tui.engines.facts import Value


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("(tp_size=2, model_path='/m, n', rate=0.85)", {"tp_size": 2, "model_path": "/m, n", "rate": 0.85}),
        ("(a=[], b=[1, 2], c=None, d=-1) x=3, y=4", {"a": [], "b": [1, 2], "c": None, "d": -1}),
        ("(big=9223372036854775807, zeros=007, e=1e-3)", {"big": 2**63 - 1, "zeros": "007", "e": 0.001}),
        ("{'model': 'x', 'host': '0.0.0.0', 'port': 8000, 'names': ['y']}", {"model": "x", "port": 8000}),
        ("(a=1, b=Tr", {"a": 1}),
        ("(a=1, b=[2, 3", {"a": 1}),
        ("(a=1, ", {"a": 1}),
        ("()", {}),
        ("(", {}),
    ],
)
def test_arguments(text: str, arguments: dict[str, Value]) -> None:
    found = call_arguments(text)
    assert {name: found[name] for name in arguments} == arguments
    assert len(found) == (4 if "host" in text else len(arguments))
