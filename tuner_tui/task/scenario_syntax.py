"""Whether a traffic scenario is written as genai-bench's grammar has it. What it means is the load room's matter."""

from __future__ import annotations

import re

_FORMS = (
    re.compile(r"D\((\d+),(\d+)\)", re.ASCII),
    re.compile(r"N\((\d+),(\d+)\)/\((\d+),(\d+)\)", re.ASCII),
    re.compile(r"U\((\d+),(\d+)\)/\((\d+),(\d+)\)", re.ASCII),
    re.compile(r"U\((\d+),(\d+)\)", re.ASCII),
)
_OTHERS = {
    "E": "E(…) is for embeddings",
    "R": "R(…) is for reranking",
    "I": "I(…) is for images",
    "A": "A(…) is for audio",
}
EXPECTED = "D(in,out), N(mean,deviation)/(mean,deviation), U(min,max)/(min,max), U(max in,max out) or dataset"
DATASET = "dataset"
"""The scenario whose prompts come from a file."""


def scenario(text: str) -> str:
    """The scenario as it is usually written: without blanks, and zeros before a number. Raises ValueError with a clause
    for a person."""
    bare = re.sub(r"\s", "", text)
    for form in _FORMS:
        found = form.fullmatch(bare)
        if found:
            return _sensible(bare, [int(number) for number in found.groups()])
    if bare.casefold() == "dataset":
        return DATASET
    if bare[:1] in _OTHERS and bare[1:2] == "(":
        raise ValueError(f"{_OTHERS[bare[0]]}, not for text generation; expected {EXPECTED}")
    raise ValueError(f"{text!r} is not a traffic scenario; expected {EXPECTED}")


def gives_one_token(bare: str) -> bool:
    """Whether every output of a scenario (without blanks) is a single token, which has no time per output token. A
    normally distributed one has at least two."""
    return bare[:1] in ("D", "U") and re.search(r",0*1\)$", bare) is not None


def _sensible(bare: str, numbers: list[int]) -> str:
    if max(numbers) > 100_000_000:
        raise ValueError(f"{bare} asks for more than 100,000,000 tokens")
    if bare[0] == "U" and "/" in bare and (numbers[0] > numbers[1] or numbers[2] > numbers[3]):
        raise ValueError(f"{bare} has a minimum above its maximum")
    sizes = (numbers[0], numbers[2 if len(numbers) == 4 else 1])
    if min(sizes) < 1:
        raise ValueError(f"{bare} asks for no tokens; input and output are at least 1")
    # The load room reads it anew, and takes no number of any length.
    return re.sub(r"\d+", lambda digits: str(int(digits[0])), bare)
