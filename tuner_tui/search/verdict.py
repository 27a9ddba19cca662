"""Which configuration is best, and how sure that is. What it says is explained in docs/verdict.md.

Only launches are independent repeats. With one launch each nothing can be called a winner: configurations whose
within-launch intervals overlap the leader's are *tied* with it; where none does, the leader is *unconfirmed*,
because launch-to-launch scatter (commonly several per cent) is not in those intervals.

With several launches the leader is the *winner* if it is better than each other configuration, pair by pair, two-sided
at 95 % (`welch`, `drift`), and by more than `min_difference`: the whole interval of the difference must lie beyond it,
not the estimate alone. This is an intersection-union test (R. L. Berger, "Multiparameter hypothesis testing and
acceptance sampling", Technometrics 24, 1982): for a configuration to be declared although another is as good, it must
in particular beat that other one, so no correction for the number of configurations is needed. That the leader is
chosen by the same data does not harm: declaring whichever is ahead errs at most for either of two equals, hence two
sides (S. Gutmann and Z. Maymin, "Is the selected population the best?", Annals of Statistics 15, 1987; K. Hung and
W. Fithian, "Rank verification for exponential families", Annals of Statistics 47, 2019).

Otherwise it is a *tie*, and the tied set holds the true best with 95 %: a configuration is left out only if some other
one is better than it (by more than `min_difference`) one-sided at 5 % divided by the number of others. This is multiple
comparison with the best (J. C. Hsu, "Constrained simultaneous confidence intervals for multiple comparisons with the
best", Annals of Statistics 12, 1984) with Bonferroni's inequality in place of his common variance: the true best would
have to lose one of those comparisons against a worse one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from tuner_tui.search.comparison import Candidate as Candidate
from tuner_tui.search.comparison import Comparisons, overall
from tuner_tui.search.comparison import Difference as Difference
from tuner_tui.search.objective import Score
from tuner_tui.search.spending import error_at
from tuner_tui.task.model import Objective


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Who leads, on what evidence, in one sentence for a person."""

    kind: Literal["winner", "tie", "unconfirmed", "none"]
    leader: int | None
    tied_with: tuple[int, ...] = ()
    sentence: str = ""
    provisional: bool = False
    """True before all planned launches are done."""
    differences: tuple[Difference, ...] = ()
    """Each other configuration's difference from the leader, best first."""
    against_baseline: tuple[Difference, ...] = ()
    """Each other configuration's difference from the baseline, best first."""
    evidence: str = ""
    """What the sentence rests on."""


_UNITS = {"e2e": "s", "ttft": "s", "tpot": "s", "output_tokens_per_s_per_gpu": "tokens/s per GPU"}
_NAMES = {
    "e2e": "end-to-end latency",
    "ttft": "time to first token",
    "tpot": "time per output token",
    "output_tokens_per_s_per_gpu": "output throughput",
}


def quantity(objective: Objective, score: float) -> str:
    """A score as a person reads it: the sign of a throughput undone, with its unit."""
    value = abs(score)
    unit = _UNITS[objective.metric]
    if unit == "s":
        return f"{value * 1000:.2f} ms" if value < 0.1 else f"{value:.4f} s"
    return f"{value:.1f} {unit}"


def metric_name(objective: Objective) -> str:
    """The objective in words: `mean end-to-end latency`, `output throughput`."""
    name = _NAMES[objective.metric]
    # Throughput is one figure a level; it has no distribution to take a statistic of.
    words = name if objective.direction == "maximize" else f"{objective.statistic} {name}"
    return f"{words} at {objective.level}" if objective.level else words


def judge(
    objective: Objective,
    candidates: Sequence[Candidate],
    *,
    launched: int,
    provisional: bool = False,
    min_difference: float = 0.0,
    looks: int = 1,
    baseline: int | None = None,
) -> Verdict:
    """The verdict over `candidates`, out of `launched` experiments in all.

    `min_difference` is relative (0.01: 1 %); `looks` counts the verdicts that could have named a winner, this one
    included: 1 after the planned launches, one more for each extension (see `spending.error_at`); `baseline` is the
    experiment that the others are to be compared with as well.

    Raises ValueError for looks < 1 and for a `min_difference` outside 0 ≤ d < 1.
    """
    if not 0 <= min_difference < 1:
        raise ValueError(f"min_difference: {min_difference}: must be at least 0 and under 1 (0.01 is 1 %)")
    alpha = error_at(looks)
    if not candidates:
        return Verdict(kind="none", leader=None, sentence=_nothing(launched, provisional), provisional=provisional)
    # Those that keep the limits and those that break them are to be ranked here, class before score, once limits are.
    comparisons = Comparisons(objective, candidates)
    ranked = sorted(candidates, key=lambda one: (comparisons.mean(one.experiment), one.experiment))
    field = _Field(
        objective,
        ranked,
        comparisons,
        alpha=alpha,
        min_difference=min_difference,
        baseline=baseline,
        provisional=provisional,
    )
    if len(ranked) == 1:
        kind, tied, sentence, evidence = field.alone()
    elif all(len(one.launches) == 1 for one in ranked):
        kind, tied, sentence, evidence = field.single_launches()
    else:
        kind, tied, sentence, evidence = field.several_launches(looks)
    return Verdict(
        kind=kind,
        leader=field.leader,
        tied_with=tied,
        sentence=sentence,
        provisional=provisional,
        differences=field.differences(field.leader),
        against_baseline=() if baseline is None else field.differences(baseline),
        evidence=evidence,
    )


def _nothing(launched: int, provisional: bool) -> str:
    if provisional:
        return "Nothing is measured yet."
    if launched:
        return f"None of {launched} configurations gave a valid measurement."
    return "There was no configuration to measure."


_MOST_NAMED = 8
"""Configurations named in a sentence; the whole tied set is in `tied_with`."""

_Findings = tuple[Literal["winner", "tie", "unconfirmed"], tuple[int, ...], str, str]


class _Field:
    """The candidates of one verdict, best first, and what can be said of them."""

    def __init__(
        self,
        objective: Objective,
        ranked: Sequence[Candidate],
        comparisons: Comparisons,
        *,
        alpha: float,
        min_difference: float,
        baseline: int | None,
        provisional: bool,
    ) -> None:
        self._ranked = ranked
        self._comparisons = comparisons
        self._alpha = alpha
        self._min_difference = min_difference
        self._margin = comparisons.margin(min_difference)
        self._baseline = baseline
        self._provisional = provisional
        self.ids = [one.experiment for one in ranked]
        self.leader = self.ids[0]
        self._best = f"#{self.leader} with {metric_name(objective)} " + quantity(
            objective, overall(objective, ranked[0]).value
        )
        self._ahead = "So far " if provisional else ""

    def differences(self, reference: int) -> tuple[Difference, ...]:
        if reference not in self.ids:
            return ()
        return tuple(
            self._comparisons.difference(experiment, reference, self._alpha)
            for experiment in self.ids
            if experiment != reference
        )

    def alone(self) -> _Findings:
        only = (
            "the only one measured so far" if self._provisional else "the only configuration with a valid measurement"
        )
        launches = self._comparisons.launches(self.leader)
        why = "one launch shows no scatter between launches" if launches == 1 else "there is nothing to compare it with"
        return "unconfirmed", (), f"{self._best} is {only}; {why}.", ""

    def single_launches(self) -> _Findings:
        """One launch each: only the intervals within the launches are known."""
        first, second = self._ranked[0], self._ranked[1]
        tied = tuple(other.experiment for other in self._ranked[1:] if _overlap(first.score, other.score))
        if tied:
            sentence = (
                f"{self._ahead}{self._names(tied)} cannot be told apart: {self._best} is nominally ahead, "
                f"but the 95 % intervals within the launches overlap."
            )
            return "tie", tied, sentence, "One launch each; the scatter between launches is not known and comes on top."
        gap = abs(second.score.value - first.score.value) / abs(first.score.value) if first.score.value else 0.0
        sentence = (
            f"{self._ahead}{self._best} leads, {gap:.1%} ahead of #{second.experiment}, "
            f"but one launch each says nothing of the scatter between launches."
        )
        return (
            "unconfirmed",
            (),
            sentence,
            "One launch each; relaunch the leaders to learn the scatter between launches.",
        )

    def several_launches(self, looks: int) -> _Findings:
        others = self.ids[1:]
        close = [other for other in others if not self._beats(self.leader, other, self._alpha)]
        evidence = self._scatter(looks)
        second = self._comparisons.difference(self.leader, others[0], self._alpha)
        if not close:
            if self._comparisons.launches(self.leader) == 1:
                sentence = (
                    f"{self._ahead}{self._best} leads, {second} against #{others[0]}, but it was launched once only."
                )
                return "unconfirmed", (), sentence, evidence
            wins = "leads" if self._provisional else "wins"
            sentence = f"{self._ahead}{self._best} {wins}: {second} against #{others[0]}, the next best."
            mistake = "Were two configurations equally good, one would win by mistake in at most 5 of 100 runs."
            return "winner", (), sentence + self._against_baseline(), f"{evidence} {mistake}"
        tied = self._tied() or tuple(close)
        nearest = self._comparisons.difference(self.leader, tied[0], self._alpha)
        enough = f" by more than the {self._min_difference * 100:.3g} % asked for" if self._min_difference else ""
        sentence = (
            f"{self._ahead}{self._names(tied)} cannot be told apart{enough}: {self._best} is nominally ahead, "
            f"{nearest} against #{tied[0]}, which may be chance."
        )
        among = "The best configuration is among them with 95 % confidence."
        return "tie", tied, sentence + self._against_baseline(), f"{evidence} {among}"

    def _beats(self, one: int, other: int, alpha: float) -> bool:
        return self._comparisons.better(one, other, self._margin, alpha)

    def _tied(self) -> tuple[int, ...]:
        """Those besides the leader that nobody beats: multiple comparison with the best."""
        # One-sided α over the number of others; never easier than losing to the winner, or a tie could be with nobody.
        alpha = min(self._alpha, 2 * self._alpha / (len(self.ids) - 1))
        return tuple(
            other
            for rank, other in enumerate(self.ids)
            if rank and not any(self._beats(better, other, alpha) for better in self.ids[:rank])
        )

    def _scatter(self, looks: int) -> str:
        counts = [self._comparisons.launches(experiment) for experiment in self.ids]
        fewest, most = min(counts), max(counts)
        each = f"{most} each" if fewest == most else f"{fewest} to {most} each"
        words = [
            f"Differences are held against the scatter between launches ({each}); brackets hold the true one with 95 %."
        ]
        single = tuple(experiment for experiment in self.ids if self._comparisons.launches(experiment) == 1)
        if single:
            words.append(f"{_list(sorted(single))} had one launch; assumed is the largest scatter seen, 5 % at least.")
        if looks > 1:
            times = "once" if looks == 2 else f"{looks - 1} times"
            words.append(
                f"Launches were added {times}, so the brackets are wider: looking again must not let chance win."
            )
        return " ".join(words)

    def _against_baseline(self) -> str:
        if self._baseline is None or self._baseline == self.leader or self._baseline not in self.ids:
            return ""
        difference = self._comparisons.difference(self.leader, self._baseline, self._alpha)
        return f" Against the baseline #{self._baseline}: {difference}."

    def _names(self, tied: Sequence[int]) -> str:
        if len(tied) > _MOST_NAMED:
            named = _list((self.leader, *sorted(tied)[: _MOST_NAMED - 1]), last=", ")
            return f"{named} and {len(tied) + 1 - _MOST_NAMED} more"
        return _list((self.leader, *sorted(tied)))


def _overlap(one: Score, other: Score) -> bool:
    """Whether two intervals share a point; scores without interval never do, equal ones always."""
    if one.value == other.value:
        return True
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high


def _list(experiments: Sequence[int], last: str = " and ") -> str:
    names = [f"#{experiment}" for experiment in experiments]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + last + names[-1]
