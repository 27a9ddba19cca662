"""A stylesheet that parses each source once for each theme."""

from __future__ import annotations

import functools

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_SOURCES = 1024
"""More than there are: Textual keeps 64, and going through more than that in order finds none of them again."""
_THEMES = 8


@functools.lru_cache(maxsize=_THEMES)
def _parsed(variables: frozenset[tuple[str, str]]) -> LRUCache[tuple[object, ...], list[RuleSet]]:
    """What has been parsed with these variables, by any app of this process: rules are never changed."""
    return LRUCache(_SOURCES)


class ParsedOnce(Stylesheet):
    """Textual parses every source anew whenever a screen is first shown (three times at the start) and whenever the
    theme changes. Here only a source or a theme that was not there before is parsed."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._given = variables
        self._parse_cache = _parsed(frozenset(variables.items()))

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables == self._given:
            return
        # The cache is put aside before the base class empties it.
        self._parse_cache = LRUCache(1)
        super().set_variables(variables)
        self._given = variables
        self._parse_cache = _parsed(frozenset(variables.items()))

    def reparse(self) -> None:
        self.parse()
