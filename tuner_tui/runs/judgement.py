"""The verdict on a run's experiments as they stand, made when it is asked for and then kept."""

from __future__ import annotations

from functools import cached_property

from msgspec.structs import replace

from tuner_tui.runs.events import BudgetSpent
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.search.confirm import Confirmation, plan_confirmation
from tuner_tui.search.verdict import Candidate, Verdict, judge
from tuner_tui.task.model import Task


class Judgement:
    """Of one state of the experiments. Costs nothing until it is asked, and is asked once whoever shares it."""

    def __init__(
        self,
        task: Task,
        experiments: tuple[ExperimentState, ...],
        *,
        provisional: bool,
        extensions: int,
        budget_spent: BudgetSpent | None,
    ) -> None:
        self._task = task
        self._experiments = experiments
        self._provisional = provisional
        self._extensions = extensions
        self._budget_spent = budget_spent

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The experiments that are valid, with a score for each launch."""
        return tuple(each.candidate for each in self._experiments if each.candidate is not None)

    @property
    def looks(self) -> int:
        """How many verdicts could have named a winner so far: after single launches none can."""
        return max(1, self._extensions + (self._task.search.launches > 1))

    @cached_property
    def baseline(self) -> int | None:
        """The id of the experiment the others are compared with."""
        return next((each.id for each in self._experiments if each.baseline), None)

    @cached_property
    def verdict(self) -> Verdict:
        """Who leads among the experiments that are valid."""
        verdict = judge(
            self._task.objective,
            self.candidates,
            launched=sum(1 for experiment in self._experiments if experiment.counted),
            provisional=self._provisional,
            min_difference=self._task.search.min_difference,
            looks=self.looks,
            baseline=self.baseline,
        )
        if self._budget_spent is None:
            return verdict
        return replace(verdict, sentence=f"{verdict.sentence} {self._budget_spent.sentence}")

    @cached_property
    def confirmation(self) -> Confirmation | None:
        """What to launch again to be surer of the verdict; None where nothing is open."""
        offer = plan_confirmation(
            self._task.objective,
            self.candidates,
            min_difference=self._task.search.min_difference,
            looks=self.looks,
        )
        return offer if offer.experiments else None
