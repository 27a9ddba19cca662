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

Limits come first (`limits`): configurations that break one are out of all this and ranked below the others, by how far
they break it. A *borderline* one, whose interval straddles a limit, takes part; if it leads, the verdict is
*borderline* in place of winner or unconfirmed. Where all break one, or where goodput is sought and no request kept
them, there is nobody to lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from tuner_tui.search.comparison import Candidate as Candidate
from tuner_tui.search.comparison import Comparisons, overall
from tuner_tui.search.comparison import Difference as Difference
from tuner_tui.search.finding import Finding, find
from tuner_tui.search.limits import beyond, worst
from tuner_tui.search.spending import error_at
from tuner_tui.search.words import experiments_listed, percent
from tuner_tui.search.words import metric_name as metric_name
from tuner_tui.search.words import quantity as quantity
from tuner_tui.task.model import Objective

Kind = Literal["winner", "tie", "unconfirmed", "borderline", "none"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Who leads, on what evidence, in one sentence for a person."""

    kind: Kind
    leader: int | None
    tied_with: tuple[int, ...] = ()
    sentence: str = ""
    provisional: bool = False
    """True before all planned launches are done."""
    differences: tuple[Difference, ...] = ()
    """Each other configuration's difference from the leader, in the order of `ranking`."""
    against_baseline: tuple[Difference, ...] = ()
    """Each other configuration's difference from the baseline, in the order of `ranking`."""
    evidence: str = ""
    """What the sentence rests on."""
    ranking: tuple[int, ...] = ()
    """All that were measured validly, best first: those that keep the limits, then those that break them."""
    borderline: tuple[int, ...] = ()
    """Those of which it is not certain that they keep every limit."""
    breaks: tuple[int, ...] = ()
    """Those that break a limit, the nearest first."""


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
    comparisons = Comparisons(objective, candidates)
    standing = {one.experiment: worst(one.limits) for one in candidates}
    kept = [one for one in candidates if standing[one.experiment] != "breaks"]
    kept.sort(key=lambda one: (comparisons.mean(one.experiment), one.experiment))
    broken = [one for one in candidates if standing[one.experiment] == "breaks"]
    broken.sort(key=lambda one: (beyond(one.limits), one.experiment))
    ranking = tuple(one.experiment for one in (*kept, *broken))
    breaks = tuple(one.experiment for one in broken)

    def differences(reference: int | None) -> tuple[Difference, ...]:
        if reference not in standing or reference is None:
            return ()
        return tuple(comparisons.difference(each, reference, alpha) for each in ranking if each != reference)

    no_request_keeps = not objective.gates and not any(each.value for one in candidates for each in one.launches)
    if not kept or no_request_keeps:
        return Verdict(
            kind="none",
            leader=None,
            sentence=_no_request_keeps(provisional) if no_request_keeps else _none_keeps(broken, provisional),
            provisional=provisional,
            against_baseline=differences(baseline),
            ranking=ranking,
            breaks=breaks,
        )
    field = _Field(
        objective,
        kept,
        comparisons,
        alpha=alpha,
        min_difference=min_difference,
        baseline=baseline if baseline in standing else None,
        provisional=provisional,
        broken=broken,
    )
    kind, tied, sentence, evidence = field.findings(looks)
    return Verdict(
        kind=kind,
        leader=field.leader,
        tied_with=tied,
        sentence=sentence,
        provisional=provisional,
        differences=differences(field.leader),
        against_baseline=differences(baseline),
        evidence=evidence,
        ranking=ranking,
        borderline=tuple(each for each in ranking if standing[each] == "borderline"),
        breaks=breaks,
    )


def _nothing(launched: int, provisional: bool) -> str:
    if provisional:
        return "Nothing is measured yet."
    if launched == 1:
        return "The only configuration gave no valid measurement."
    if launched:
        return f"None of {launched} configurations gave a valid measurement."
    return "There was no configuration to measure."


def _none_keeps(broken: Sequence[Candidate], provisional: bool) -> str:
    nearest = broken[0]
    far = f"{percent(beyond(nearest.limits)).replace('+', '')} %"
    so_far = " so far" if provisional else ""
    worst_limit = nearest.limits[0]
    return f"No configuration keeps the limits{so_far}. #{nearest.experiment} comes nearest, {far} over: {worst_limit}."


def _no_request_keeps(provisional: bool) -> str:
    if provisional:
        return "No request has kept the limits so far."
    return "No request kept the limits, whatever the configuration; take looser limits or a lower load."


_MOST_NAMED = 8
"""Configurations named in a sentence; the whole tied set is in `tied_with`."""

_Findings = tuple[Kind, tuple[int, ...], str, str]


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
        broken: Sequence[Candidate],
    ) -> None:
        self._ranked = ranked
        self._comparisons = comparisons
        self._alpha = alpha
        self._min_difference = min_difference
        self._margin = comparisons.margin(min_difference)
        self._baseline = baseline
        self._provisional = provisional
        self._broken = broken
        self.ids = [one.experiment for one in ranked]
        self.leader = self.ids[0]
        self._best = f"#{self.leader} with {metric_name(objective)} " + quantity(
            objective, overall(objective, ranked[0]).value
        )
        self._ahead = "So far " if provisional else ""

    def findings(self, looks: int) -> _Findings:
        found = find(self._comparisons, self._ranked, alpha=self._alpha, margin=self._margin)
        kind: Kind = found.kind
        if len(self.ids) == 1:
            sentence, evidence = self._alone()
        elif all(len(one.launches) == 1 for one in self._ranked):
            sentence, evidence = self._single_launches(found)
        else:
            sentence, evidence = self._several_launches(found, looks)
        doubt = self._doubt()
        if doubt and kind != "tie":
            kind = "borderline"
        words = (sentence, doubt, self._against_baseline(), self._out())
        return kind, found.tied_with, " ".join(each for each in words if each), evidence

    def _alone(self) -> tuple[str, str]:
        only = (
            "the only one measured so far" if self._provisional else "the only configuration with a valid measurement"
        )
        if self._broken:
            only = "the only one that keeps the limits" + (" so far" if self._provisional else "")
        launches = self._comparisons.launches(self.leader)
        why = "one launch shows no scatter between launches" if launches == 1 else "there is nothing to compare it with"
        return f"{self._best} is {only}; {why}.", ""

    def _single_launches(self, found: Finding) -> tuple[str, str]:
        """One launch each: only the intervals within the launches are known."""
        if found.kind == "tie":
            sentence = (
                f"{self._ahead}{self._names(found.tied_with)} cannot be told apart: {self._best} is nominally ahead, "
                f"but the 95 % intervals within the launches overlap."
            )
            return sentence, "One launch each; the scatter between launches is not known and comes on top."
        second = self._comparisons.difference(self.leader, self.ids[1], self._alpha)
        sentence = (
            f"{self._ahead}{self._best} leads, {second} against #{second.reference}, "
            f"but one launch each says nothing of the scatter between launches."
        )
        return sentence, ""

    def _several_launches(self, found: Finding, looks: int) -> tuple[str, str]:
        evidence = self._scatter(looks)
        if found.kind == "tie":
            tied = found.tied_with
            nearest = self._comparisons.difference(self.leader, tied[0], self._alpha)
            enough = f" by more than the {self._min_difference * 100:.3g} % asked for" if self._min_difference else ""
            sentence = (
                f"{self._ahead}{self._names(tied)} cannot be told apart{enough}: {self._best} is nominally ahead, "
                f"{nearest} against #{tied[0]}, which may be chance."
            )
            return sentence, f"{evidence} The best configuration is among them with 95 % confidence."
        next_best = self.ids[1]
        second = self._comparisons.difference(self.leader, next_best, self._alpha)
        if found.kind == "unconfirmed":
            return (
                f"{self._ahead}{self._best} leads, {second} against #{next_best}, but it was launched once only.",
                evidence,
            )
        wins = "leads" if self._provisional else "wins"
        sentence = f"{self._ahead}{self._best} {wins}: {second} against #{next_best}, the next best."
        mistake = "Were two configurations equally good, one would win by mistake in at most 5 of 100 runs."
        return sentence, f"{evidence} {mistake}"

    def _scatter(self, looks: int) -> str:
        counts = [self._comparisons.launches(experiment) for experiment in self.ids]
        fewest, most = min(counts), max(counts)
        each = f"{most} each" if fewest == most else f"{fewest} to {most} each"
        words = [
            f"Differences are held against the scatter between launches ({each}); brackets hold the true one with 95 %."
        ]
        single = tuple(experiment for experiment in self.ids if self._comparisons.launches(experiment) == 1)
        if single:
            once = experiments_listed(sorted(single))
            words.append(f"{once} had one launch; assumed is the largest scatter seen, 5 % at least.")
        if looks > 1:
            times = "once" if looks == 2 else f"{looks - 1} times"
            words.append(
                f"Launches were added {times}, so the brackets are wider: looking again must not let chance win."
            )
        return " ".join(words)

    def _doubt(self) -> str:
        """Said where it is not certain that the leader keeps the limits."""
        leader = self._ranked[0]
        if worst(leader.limits) == "keeps":
            return ""
        doubt = f"Whether #{self.leader} keeps the limits is not certain: {leader.limits[0]}."
        sure = next((one.experiment for one in self._ranked if worst(one.limits) == "keeps"), None)
        return doubt if sure is None else f"{doubt} The best that does is #{sure}."

    def _against_baseline(self) -> str:
        if self._baseline is None:
            return ""
        if self._baseline == self.leader:
            return f"#{self.leader} is the baseline." if len(self.ids) > 1 else ""
        difference = self._comparisons.difference(self.leader, self._baseline, self._alpha)
        return f"Against the baseline #{self._baseline}: {difference}."

    def _out(self) -> str:
        if not self._broken:
            return ""
        if len(self._broken) == 1:
            return f"#{self._broken[0].experiment} breaks a limit: {self._broken[0].limits[0]}."
        return f"{len(self._broken)} others break a limit."

    def _names(self, tied: Sequence[int]) -> str:
        if len(tied) > _MOST_NAMED:
            named = experiments_listed((self.leader, *sorted(tied)[: _MOST_NAMED - 1]), last=", ")
            return f"{named} and {len(tied) + 1 - _MOST_NAMED} more"
        return experiments_listed((self.leader, *sorted(tied)))
