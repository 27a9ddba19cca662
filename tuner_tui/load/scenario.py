"""Traffic scenarios in genai-bench's grammar: how long prompts and outputs are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

EXPECTED = "D(in,out), N(mean,deviation)/(mean,deviation), U(min,max)/(min,max), U(max in,max out) or dataset"
DATASET = "dataset"
"""The scenario whose prompts (and perhaps lengths) come from a file."""
_NOT_TEXT = {
    "E": "embeddings",
    "R": "reranking",
    "I": "images",
    "A": "audio",
}
MIN_PROMPT_TOKENS = 1
MIN_OUTPUT_TOKENS = 2
"""The least that N gives, as in genai-bench: with one output token there is no time per output token."""


@dataclass(frozen=True)
class Fixed:
    """Always the same number of tokens."""

    tokens: int

    @property
    def mean(self) -> float:
        return self.tokens

    def sample(self, random: Random) -> int:
        return self.tokens


@dataclass(frozen=True)
class Normal:
    """Normally distributed, cut to a whole number, never under `least`."""

    mean: float
    deviation: float
    least: int

    def sample(self, random: Random) -> int:
        return max(self.least, int(random.gauss(self.mean, self.deviation)))


@dataclass(frozen=True)
class Uniform:
    """Any whole number from `least` to `most`, both included, equally often."""

    least: int
    most: int

    @property
    def mean(self) -> float:
        return (self.least + self.most) / 2

    def sample(self, random: Random) -> int:
        return random.randint(self.least, self.most)


Length = Fixed | Normal | Uniform


@dataclass(frozen=True)
class Scenario:
    """Lengths of prompt and output, in tokens."""

    text: str
    prompt: Length
    output: Length

    def sample(self, random: Random) -> tuple[int, int]:
        """One request's (prompt tokens, output tokens)."""
        return self.prompt.sample(random), self.output.sample(random)

    @property
    def mean_tokens(self) -> tuple[float, float]:
        """Mean (prompt tokens, output tokens), before cutting to whole numbers."""
        return self.prompt.mean, self.output.mean


def parse(text: str) -> Scenario:
    """Reads one scenario; blanks do not matter. Raises ValueError with one sentence.

    Grammar: `D(in,out)` fixed; `N(μi,σi)/(μo,σo)` normal, at least 1 in and 2 out; `U(min,max)/(min,max)`
    uniform, both ends included; `U(max in,max out)` uniform from 1.
    """
    bare = re.sub(r"\s", "", text)
    for pattern, build in _FORMS:
        found = pattern.fullmatch(bare)
        if found:
            return build(bare, [int(number) for number in found.groups()])
    if bare[:1].upper() in _NOT_TEXT and bare[1:2] == "(":
        raise ValueError(f"{bare} is traffic for {_NOT_TEXT[bare[0].upper()]}, not for text; expected {EXPECTED}")
    letter = re.match(r"([DNU])(?!\w)", bare.upper(), re.ASCII)
    if letter is None:
        raise ValueError(f"{text!r} is not a traffic scenario; expected {EXPECTED}")
    form = _NEAREST[letter[1]]
    raise ValueError(f"{text!r} is not a traffic scenario; with {letter[1]} the form is {form}, in whole numbers")


def _fixed(text: str, numbers: list[int]) -> Scenario:
    prompt, output = numbers
    _at_least_one(text, prompt, output)
    return Scenario(text, Fixed(prompt), Fixed(output))


def _normal(text: str, numbers: list[int]) -> Scenario:
    mean_in, deviation_in, mean_out, deviation_out = numbers
    _at_least_one(text, mean_in, mean_out)
    return Scenario(
        text,
        Normal(mean_in, deviation_in, MIN_PROMPT_TOKENS),
        Normal(mean_out, deviation_out, MIN_OUTPUT_TOKENS),
    )


def _uniform(text: str, numbers: list[int]) -> Scenario:
    least_in, most_in, least_out, most_out = numbers
    _at_least_one(text, least_in, least_out)
    for least, most in ((least_in, most_in), (least_out, most_out)):
        if least > most:
            raise ValueError(f"{text}: the minimum {least} is above the maximum {most}; write U(min,max)/(min,max)")
    return Scenario(text, Uniform(least_in, most_in), Uniform(least_out, most_out))


def _uniform_from_one(text: str, numbers: list[int]) -> Scenario:
    most_in, most_out = numbers
    _at_least_one(text, most_in, most_out)
    return _uniform(text, [1, most_in, 1, most_out])


def _at_least_one(text: str, prompt: int, output: int) -> None:
    if prompt < 1 or output < 1:
        raise ValueError(f"{text}: prompt and output are at least 1 token each")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, list[int]], Scenario]], ...] = (
    (re.compile(r"D\((\d{1,9}),(\d{1,9})\)", re.ASCII), _fixed),
    (re.compile(r"N\((\d{1,9}),(\d{1,9})\)/\((\d{1,9}),(\d{1,9})\)", re.ASCII), _normal),
    (re.compile(r"U\((\d{1,9}),(\d{1,9})\)/\((\d{1,9}),(\d{1,9})\)", re.ASCII), _uniform),
    (re.compile(r"U\((\d{1,9}),(\d{1,9})\)", re.ASCII), _uniform_from_one),
)
_NEAREST = {
    "D": "D(in,out)",
    "N": "N(mean,deviation)/(mean,deviation)",
    "U": "U(min,max)/(min,max) or U(max in,max out)",
}
