"""The parameter space → its configurations, in grid order."""

from __future__ import annotations

import itertools
import math
from typing import Any

from tuner_tui.task.constraint import Condition, ConstraintError, parse, scope_name
from tuner_tui.task.model import Configuration, Frozen, ParameterSpace

MAX_CONFIGURATIONS = 100_000


class Excluded(Frozen, frozen=True, kw_only=True):
    """A configuration that a constraint rules out; `reason` is a sentence with the values in it."""

    configuration: Configuration
    reason: str


class Expansion(Frozen, frozen=True, kw_only=True):
    """All configurations of a space. `total` is kept and excluded together; `notes` are sentences for a person."""

    kept: tuple[Configuration, ...]
    excluded: tuple[Excluded, ...]
    total: int
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """`4 configurations`, `6 of 8 configurations (2 excluded by constraints)`."""
        noun = "configuration" if self.total == 1 else "configurations"
        if not self.excluded:
            return f"{self.total:,} {noun}"
        if not self.kept:
            return f"none of {self.total:,} {noun} (all excluded by constraints)"
        return f"{len(self.kept):,} of {self.total:,} {noun} ({len(self.excluded):,} excluded by constraints)"


def size(space: ParameterSpace) -> int:
    """How many configurations there are before constraints; at least 1, the engine's defaults."""
    return math.prod(len(parameter.values) for parameter in space.parameters) * max(1, len(space.linked))


def expand(space: ParameterSpace, gpus: int | None = None) -> Expansion:
    """Every configuration: parameters in the order of the file, then `linked` as one axis, the last one fastest.

    `gpus` is the number of GPUs that may be used; None: not known, and constraints that use it are not applied.
    Raises ValueError over MAX_CONFIGURATIONS, and ConstraintError for a constraint that cannot be read; the
    reader refuses both before.
    """
    total = size(space)
    if total > MAX_CONFIGURATIONS:
        raise ValueError(f"{total:,} configurations are more than {MAX_CONFIGURATIONS:,}")
    conditions = [parse(constraint.text) for constraint in space.constraints]
    notes = tuple(
        f"the constraint `{each.text}` was not applied: how many GPUs there are is not known"
        for each in conditions
        if "gpus" in each.names and gpus is None
    )
    applied = [each for each in conditions if gpus is not None or "gpus" not in each.names]
    axes: list[list[Configuration]] = [[{each.name: value} for value in each.values] for each in space.parameters]
    if space.linked:
        axes.append(list(space.linked))
    kept: list[Configuration] = []
    excluded: list[Excluded] = []
    for point in itertools.product(*axes):
        configuration: Configuration = {}
        for partial in point:
            configuration.update(partial)
        reason = _objection(configuration, applied, gpus) if applied else None
        if reason is None:
            kept.append(configuration)
        else:
            excluded.append(Excluded(configuration=configuration, reason=reason))
    return Expansion(kept=tuple(kept), excluded=tuple(excluded), total=total, notes=notes)


def _objection(configuration: Configuration, conditions: list[Condition], gpus: int | None) -> str | None:
    scope: dict[str, Any] = {scope_name(flag): value for flag, value in configuration.items()}
    scope["gpus"] = gpus
    for condition in conditions:
        try:
            holds = condition.holds(scope)
        except ConstraintError as error:
            return f"the constraint `{condition.text}` {error}"
        if holds is False:
            values = ", ".join(f"{name} = {scope.get(name)}" for name in sorted(condition.names))
            return f"the constraint `{condition.text}` does not hold" + (f" ({values})" if values else "")
    return None
