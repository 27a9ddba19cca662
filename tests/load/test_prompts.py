"""Prompts: exact, unlike each other from the first token on, and the same for the same seed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.load.prompts import FIRST_ID, LAST_ID, Prompts


def ids(prompts: Prompts, tokens: int, serial: int = 0) -> list[int]:
    content = prompts.token_ids(serial, tokens).content
    assert isinstance(content, msgspec.Raw)
    return msgspec.json.decode(content, type=list[int])


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    return Prompts(1)


@given(st.integers(1, 5_000))
def test_length_is_exact_and_ids_are_in_every_vocabulary(prompts: Prompts, tokens: int) -> None:
    got = ids(prompts, tokens)
    assert len(got) == tokens
    assert min(got) >= FIRST_ID
    assert max(got) <= LAST_ID < 4_096


def test_a_prompt_longer_than_the_pool_is_exact_too(prompts: Prompts) -> None:
    assert len(ids(prompts, 200_001)) == 200_001


def test_no_prefix_is_shared_within_a_launch() -> None:
    prompts = Prompts(3)
    heads = [tuple(ids(prompts, 20, serial)[:2]) for serial in range(7_000)]
    assert len({head[0] for head in heads[:3_000]}) == 3_000
    assert len(set(heads)) == 7_000


def test_the_seed_repeats_a_launch_and_tells_launches_apart() -> None:
    first, again, other = (Prompts(seed) for seed in (5, 5, 6))
    one = [ids(first, 50, serial) for serial in range(20)]
    assert one == [ids(again, 50, serial) for serial in range(20)]
    assert not {tuple(each) for each in one} & {tuple(ids(other, 50, serial)) for serial in range(20)}


def test_text_has_a_word_a_token_and_differs_within_four() -> None:
    prompts = Prompts(1)
    texts = [str(prompts.text(serial, 30).content) for serial in range(4_000)]
    assert {len(text.split()) for text in texts} == {30}
    assert len({tuple(text.split()[:4]) for text in texts}) == 4_000
    assert len(str(prompts.text(0, 1).content).split()) == 1
    assert len(str(prompts.text(0, 30, words=22).content).split()) == 22
