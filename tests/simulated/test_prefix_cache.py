"""The prefix cache against the plainest model of one: a set of all cached prefixes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.engines.simulated.prefix_cache import Node, PrefixCache

IDS = st.lists(st.integers(0, 2), max_size=12).map(tuple)


@settings(max_examples=200, deadline=None)
@given(inserted=st.lists(IDS, max_size=10), asked=IDS, page=st.sampled_from([1, 2, 3]))
def test_the_longest_cached_prefix_is_found(inserted: list[tuple[int, ...]], asked: tuple[int, ...], page: int) -> None:
    cache = PrefixCache(page)
    known: set[tuple[int, ...]] = {()}
    for ids in inserted:
        whole = len(ids) // page * page
        assert cache.insert(ids)[0] == whole
        known |= {ids[:end] for end in range(0, whole + 1, page)}
    assert cache.tokens == (len(known) - 1) * page
    longest = max(end for end in range(0, len(asked) + 1, page) if asked[:end] in known)
    assert cache.match(asked)[0] == longest
    assert cache.tokens == (len(known) - 1) * page
    assert cache.evictable == cache.tokens


def test_what_a_request_holds_is_not_dropped() -> None:
    cache = PrefixCache()
    _, held = cache.insert((1, 2, 3, 4))
    cache.lock(held)
    cache.insert((1, 2, 9, 9, 9))
    assert (cache.tokens, cache.evictable) == (7, 3)
    assert cache.evict(100) == 3
    assert cache.match((1, 2, 3, 4))[0] == 4
    cache.unlock(held)
    assert cache.evict(100) == 4
    assert (cache.tokens, cache.evictable) == (0, 0)


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = PrefixCache()
    for start in (1, 2, 3):
        cache.insert((start,) * 5)
    cache.match((1,) * 5)
    assert cache.evict(1) == 5
    assert [cache.match((start,) * 5)[0] for start in (1, 2, 3)] == [5, 0, 5]


@settings(max_examples=200, deadline=None)
@given(
    actions=st.lists(st.tuples(st.sampled_from(["insert", "lock", "unlock", "evict"]), IDS, st.integers(1, 9))),
    page=st.sampled_from([1, 2]),
)
def test_its_counts_are_true_whatever_happens(actions: list[tuple[str, tuple[int, ...], int]], page: int) -> None:
    cache = PrefixCache(page)
    held: list[Node] = []
    for action, ids, number in actions:
        if action == "insert":
            cache.insert(ids)
        elif action == "lock":
            held.append(cache.match(ids)[1])
            cache.lock(held[-1])
        elif action == "unlock" and held:
            cache.unlock(held.pop(number % len(held)))
        elif action == "evict":
            evictable = cache.evictable
            assert cache.evict(number) >= min(number, evictable)
        nodes, stack = [], list(cache.root.children.values())
        while stack:
            nodes.append(stack.pop())
            stack += nodes[-1].children.values()
        assert cache.tokens == sum(len(node.key) for node in nodes)
        assert cache.evictable == sum(len(node.key) for node in nodes if node.locks == 0)
