"""Excerpts of logs that people published with their troubles, and what must be read in each: `public_logs.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engines.test_log_variants import found
from tuner_tui.engines.inspection import CLASSES

EXCERPTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("public_logs.yaml").read_text())


def at(document: dict[str, Any], name: str) -> Any:
    """A field by its dotted name; `timeline.PHASE` is the phase's seconds."""
    head, _, rest = name.partition(".")
    if head == "timeline":
        return {step["phase"]: step["seconds"] for step in document["timeline"]}[rest]
    value = document[head]
    return at(value, rest) if rest else value


@pytest.mark.parametrize("excerpt", EXCERPTS, ids=lambda excerpt: f"{excerpt['from']}: {excerpt['about']}"[:90])
def test_a_published_log(excerpt: dict[str, Any]) -> None:
    document = found(excerpt["log"])
    expected = excerpt.get("read", {})
    assert {name: at(document, name) for name in expected} == expected
    errors = [[error["class"], error["line_number"]] for error in document["errors"]]
    assert errors == excerpt.get("errors", [])
    assert {name for name, _ in errors} <= CLASSES
    if errors:
        assert excerpt.get("advice", "") in document["errors"][0]["advice"]
        if "fix" in excerpt:
            assert document["errors"][0]["fix"] == excerpt["fix"]
    assert document["unread_samples"] == []
