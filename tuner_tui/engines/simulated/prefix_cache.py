"""The prefix cache: a radix tree over token ids, as SGLang's, counting tokens only."""

from __future__ import annotations

from collections.abc import Iterator


class Node:
    """An edge of the tree: `key` are its tokens, a whole number of pages."""

    __slots__ = ("children", "key", "locks", "parent")

    def __init__(self, key: tuple[int, ...], parent: Node | None) -> None:
        self.key = key
        self.parent = parent
        self.children: dict[tuple[int, ...], Node] = {}
        self.locks = 0


class PrefixCache:
    """What is cached, which of it running requests hold (locked), and what may be dropped.

    `tokens` counts all that is cached, `evictable` the part that no request holds.
    """

    def __init__(self, page_tokens: int = 1) -> None:
        self._page = page_tokens
        self._root = Node((), None)
        self._root.locks = 1
        # Leaves that nobody holds, the one used longest ago first.
        self._idle: dict[Node, None] = {}
        self.tokens = 0
        self.evictable = 0

    @property
    def root(self) -> Node:
        return self._root

    def match(self, ids: tuple[int, ...]) -> tuple[int, Node]:
        """How many of the first `ids` are cached (whole pages), and where that prefix ends."""
        node, at = self._root, 0
        while (child := node.children.get(ids[at : at + self._page])) is not None:
            same = self._common(child.key, ids, at)
            if same < len(child.key):
                return at + same, self._split(child, same)
            node, at = child, at + same
        self._use(node)
        return at, node

    def insert(self, ids: tuple[int, ...]) -> tuple[int, Node]:
        """Caches whole pages of `ids`. Returns how many tokens are now cached of it, and where they end."""
        ids = ids[: len(ids) // self._page * self._page]
        at, node = self.match(ids)
        if at < len(ids):
            self._idle.pop(node, None)
            leaf = Node(ids[at:], node)
            node.children[leaf.key[: self._page]] = leaf
            self.tokens += len(leaf.key)
            self.evictable += len(leaf.key)
            self._idle[leaf] = None
            node = leaf
        return len(ids), node

    def lock(self, node: Node) -> None:
        """Holds the prefix that ends at `node`."""
        for each in self._path(node):
            if each.locks == 0:
                self.evictable -= len(each.key)
                self._idle.pop(each, None)
            each.locks += 1

    def unlock(self, node: Node) -> None:
        """Lets go what `lock` held."""
        for each in self._path(node):
            each.locks -= 1
            if each.locks == 0:
                self.evictable += len(each.key)
                if not each.children:
                    self._idle[each] = None

    def evict(self, tokens: int) -> int:
        """Drops what was used longest ago until `tokens` are free or nothing idle is left; returns how many."""
        freed = 0
        while freed < tokens and self._idle:
            node = next(iter(self._idle))
            del self._idle[node]
            parent = node.parent
            assert parent is not None
            del parent.children[node.key[: self._page]]
            freed += len(node.key)
            if not parent.children and parent.locks == 0:
                self._idle[parent] = None
        self.tokens -= freed
        self.evictable -= freed
        return freed

    def _path(self, node: Node) -> Iterator[Node]:
        while node.parent is not None:
            yield node
            node = node.parent

    def _use(self, node: Node) -> None:
        if node in self._idle:
            del self._idle[node]
            self._idle[node] = None

    def _common(self, key: tuple[int, ...], ids: tuple[int, ...], at: int) -> int:
        if ids[at : at + len(key)] == key:
            return len(key)
        same = next((i for i, (a, b) in enumerate(zip(key, ids[at:], strict=False)) if a != b), None)
        if same is None:
            same = min(len(key), len(ids) - at)
        return same // self._page * self._page

    def _split(self, node: Node, at: int) -> Node:
        """Cuts `node` after `at` tokens; the new upper part takes its place and is returned."""
        parent = node.parent
        assert parent is not None
        upper = Node(node.key[:at], parent)
        upper.locks = node.locks
        parent.children[upper.key[: self._page]] = upper
        node.key = node.key[at:]
        node.parent = upper
        upper.children[node.key[: self._page]] = node
        return upper
