"""How much of the 5 % error a run may spend at each look at its launches."""

ERROR = 0.05
"""The most a run may risk in all: naming a false winner, two-sided."""

_SHARE = 0.9


def error_at(looks: int) -> float:
    """The two-sided error of the `looks`-th look: 4.5 %, 0.45 %, 0.045 %, …, together never over 5 %.

    The first look is at the launches that were planned; each extension ("n more launches") is one look more, because
    who may look again after every tie would find a winner among equals sooner or later. By Bonferroni the chance that
    any of the looks errs is at most the sum, whatever made the user extend. Each look takes nine tenths of what is
    left: most runs are looked at once, and as the launches add up a smaller error costs little (its critical value
    grows as the root of a logarithm, while the standard error falls as 1/√n).

    A look at which no configuration had two launches cannot name a winner, spends nothing and is not counted.
    Raises ValueError for looks < 1.
    """
    if looks < 1:
        raise ValueError(f"looks: {looks}: the planned launches are the first look")
    return ERROR * _SHARE * (1 - _SHARE) ** (looks - 1)
