"""Experiments side by side: one column each, one row a metric, the best of a row marked by a sign."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.style import Style
from rich.text import Text

from tuner_tui.report.comparison import Cell, ComparisonTable, Row, compare
from tuner_tui.report.labels import labels, short_labels
from tuner_tui.report.metrics import Metric, metrics
from tuner_tui.report.words import value_with_unit
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.search.words import metric_name, percent
from tuner_tui.ui.fit import cut_end
from tuner_tui.ui.run.lines import Lines, style_of
from tuner_tui.ui.run.rows import score_words
from tuner_tui.ui.table import TunerTable

SIGNS = {"best": "★", "tied": "≈", "ahead": "?", "": " "}
STATISTICS = ("mean", "p50", "p90", "p99")
_LONGEST_NAME = 24
MOST_COLUMNS = 24
"""Of many experiments the first so many have a column: nobody reads a thousand, and they take seconds to lay out."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the table shows: which experiments (none: the valid ones, best first), in which figures."""

    chosen: tuple[int, ...] = ()
    reference: int | None = None
    statistic: str = "mean"
    """One of STATISTICS, or all."""
    words: str = ""
    """Only rows whose name has all of these."""
    sort_by: str = ""
    """Key of the row that orders the columns; empty: as the verdict ranks them."""
    failed: bool = False
    """Also those that failed or are invalid."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment; `key` is its id, with a letter before it where it is another run's."""

    key: str
    title: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table as text: rows by key, a cell for each column."""

    columns: tuple[Column, ...]
    rows: dict[str, tuple[Text, ...]]
    """The first cell is the row's name."""
    details: dict[tuple[str, str], str]
    """Row and column → the figure in words, with intervals."""
    reference: int | None
    experiments: tuple[int, ...]
    """All that are compared, in order: also those that have no column."""


def sheet(snapshot: Snapshot, wanted: Wanted, style: dict[str, Style], other: Snapshot | None = None) -> Sheet:
    """`other`: a run whose experiments stand beside, as `B#1`; only rows of the same level hold them."""
    shown = _metrics(snapshot, wanted)
    ids = _sorted(snapshot, _ids(snapshot, wanted), wanted, shown)
    table = compare(snapshot, _with_column(snapshot, ids, wanted), reference=wanted.reference, shown=shown)
    names = short_labels(snapshot)
    columns = [Column(key=str(each), title=_title(snapshot, each, names[each], table)) for each in table.experiments]
    beside = compare(other, other.verdict.ranking[:MOST_COLUMNS], shown=shown) if other is not None else None
    if other is not None and beside is not None:
        others = short_labels(other)
        columns += [
            Column(key=f"B{each}", title=f"B#{each}\n{cut_end(others[each], _LONGEST_NAME)}")
            for each in beside.experiments
        ]
    rows: dict[str, tuple[Text, ...]] = {}
    details: dict[tuple[str, str], str] = {}
    by_id = {each.id: each for each in snapshot.experiments}
    single = len({level.scenario for level in snapshot.levels}) == 1
    head = [by_id[each] for each in table.experiments]
    for key, cells in _head_rows(snapshot, head, style).items():
        rows[key] = cells
    details |= {("score", str(each.id)): _score_detail(snapshot, each, f"#{each.id}") for each in head}
    whole = labels(snapshot)
    details |= {("launches", str(each.id)): f"#{each.id}: {whole[each.id]}" for each in head}
    details |= {("limits", str(each.id)): f"#{each.id}: {each.limits[0]}" for each in head if each.limits}
    if other is not None and beside is not None:
        theirs = {each.id: each for each in other.experiments}
        guests = [theirs[each] for each in beside.experiments]
        for key, cells in _head_rows(other, guests, style, marked=False).items():
            if key in rows:
                rows[key] += cells[1:]
        rows = {key: (*cells, *[Text("")] * (1 + len(columns) - len(cells))) for key, cells in rows.items()}
        details |= {("score", f"B{each.id}"): _score_detail(other, each, f"B#{each.id}") for each in guests}
    matching = {(row.metric.key, row.metric.level): row for row in (beside.rows if beside else ())}
    group = ""
    for row in table.rows if single else _by_traffic(table.rows, snapshot):
        name = row_name(row.metric, single)
        if not all(part in name.lower() for part in wanted.words.lower().split()):
            continue
        if not single and (of := _traffic(row.metric, snapshot)) != group:
            group = of
            rows[f"traffic {group}"] = (Text(group, "bold"), *([Text("")] * len(columns)))
        key = f"{row.metric.key} {row.metric.level or ''}"
        found = [*row.cells]
        if beside is not None:
            foreign = matching.get((row.metric.key, row.metric.level))
            found += foreign.cells if foreign else [Cell(experiment=each) for each in beside.experiments]
        rows[key] = (Text(row_name(row.metric, single=True)), *(_cell(row, cell, style) for cell in found))
        for column, cell in zip(columns, found, strict=True):
            details[key, column.key] = _detail(name, row, cell, table.reference)
    return Sheet(columns=tuple(columns), rows=rows, details=details, reference=table.reference, experiments=ids)


def _traffic(metric: Metric, snapshot: Snapshot) -> str:
    """The scenario of the metric's level, as a heading."""
    return next((level.scenario for level in snapshot.levels if level.name == metric.level), "the server")


def _by_traffic(rows: Sequence[Row], snapshot: Snapshot) -> list[Row]:
    """All of one scenario after the other, each in the order of `rows`."""
    order = list(dict.fromkeys([*(level.scenario for level in snapshot.levels), "the server"]))
    return sorted(rows, key=lambda row: order.index(_traffic(row.metric, snapshot)))


def row_name(metric: Metric, single: bool) -> str:
    """`E2E mean × 4`; the scenario stands only where there are several."""
    if metric.level is None:
        return metric.name
    level = metric.level
    if single:
        level = next((f"{sign} {level.partition(sign)[2].strip()}" for sign in ("×", "@") if sign in level), level)
    return f"{metric.name} {level}"


def _metrics(snapshot: Snapshot, wanted: Wanted) -> list[Metric]:
    statistics = STATISTICS if wanted.statistic == "all" else (wanted.statistic,)
    return metrics([level.name for level in snapshot.levels], statistics=statistics)


def _ids(snapshot: Snapshot, wanted: Wanted) -> tuple[int, ...]:
    ranked = snapshot.verdict.ranking
    if wanted.chosen:
        order = {each: place for place, each in enumerate(ranked)}
        return tuple(sorted(wanted.chosen, key=lambda each: (order.get(each, len(order)), each)))
    begun = [each.id for each in snapshot.experiments if each.launches]
    return (*ranked, *(each for each in begun if each not in ranked)) if wanted.failed or not ranked else ranked


def _sorted(snapshot: Snapshot, ids: tuple[int, ...], wanted: Wanted, shown: Sequence[Metric]) -> tuple[int, ...]:
    """By the row that orders the columns, the best first; those without a figure last."""
    by = [each for each in shown if f"{each.key} {each.level or ''}" == wanted.sort_by]
    for row in compare(snapshot, ids, shown=by).rows if by else ():
        sign = 1 if row.metric.better == "lower" else -1
        known = [each for _, each in sorted((sign * c.value, c.experiment) for c in row.cells if c.value is not None)]
        there = set(known)
        return (*known, *(each for each in ids if each not in there))
    return ids


def _with_column(snapshot: Snapshot, ids: tuple[int, ...], wanted: Wanted) -> tuple[int, ...]:
    """The first, and what they are held against, which has a column wherever it stands."""
    first = ids[:MOST_COLUMNS]
    against = wanted.reference if wanted.reference in ids else snapshot.baseline
    return (*first[:-1], against) if against is not None and against in ids and against not in first else first


def _title(snapshot: Snapshot, experiment: int, name: str, table: ComparisonTable) -> str:
    verdict = snapshot.verdict
    mark = ""
    if experiment == verdict.leader:
        mark = {"tie": "≈ ", "unconfirmed": "? "}.get(verdict.kind, "★ ")
    elif experiment in verdict.tied_with:
        mark = "≈ "
    pinned = " ⚓" if experiment == table.reference and len(table.experiments) > 1 else ""
    return f"{mark}#{experiment}{pinned}\n{cut_end(name, _LONGEST_NAME)}"


def _head_rows(
    snapshot: Snapshot, experiments: Sequence[ExperimentState], style: dict[str, Style], *, marked: bool = True
) -> dict[str, tuple[Text, ...]]:
    """What an experiment has as a whole: its score, its launches, whether it counts, whether it keeps the limits.
    `marked`: by the verdict."""
    verdict = snapshot.verdict
    score, launches, limits = [Text("score", "bold")], [Text("launches")], [Text("limits")]
    for each in experiments:
        if each.score is not None and each.outcome == "succeeded":
            words = score_words(snapshot.objective, each.score.value)
            tied = marked and verdict.kind == "tie" and each.id in (verdict.leader, *verdict.tied_with)
            leads = marked and each.id == verdict.leader and not tied
            sign = ("? " if verdict.kind == "unconfirmed" else "★ ") if leads else "≈ " if tied else "  "
            score.append(Text(sign + words, style["winner"] if leads else style["tied"] if tied else "bold"))
        else:
            why = {"failed": "✗ failed", "invalid": "! invalid"}.get(each.outcome)
            score.append(Text(why or "  –", style["error" if why else "dim"]))
        done = len(each.counted)
        launches.append(Text(f"  {done}" if done == each.wanted else f"  {done} of {each.wanted}", style["dim"]))
        limits.append(_limits(each, style))
    rows = {"score": tuple(score), "launches": tuple(launches)}
    return {**rows, "limits": tuple(limits)} if any(each.limits for each in experiments) else rows


def _limits(experiment: ExperimentState, style: dict[str, Style]) -> Text:
    if not experiment.limits:
        return Text("  –", style["dim"])
    nearest = experiment.limits[0]
    match nearest.standing:
        case "breaks":
            return Text(f"✗ {nearest.limit} broken", style["error"])
        case "borderline":
            return Text(f"~ {nearest.limit} borderline", style["warning"])
        case _:
            return Text("✓ kept")


def _score_detail(snapshot: Snapshot, experiment: ExperimentState, name: str) -> str:
    """What the score is made of, or why there is none."""
    if experiment.score is not None and experiment.outcome == "succeeded":
        words = f"score of {name}: {metric_name(snapshot.objective)}"
        words += f", {score_words(snapshot.objective, experiment.score.value)}"
        each = [score_words(snapshot.objective, score.value) for score in experiment.scores]
        return words + (
            f", the mean of {len(each)} launches: {', '.join(each)}" if len(each) > 1 else ", of one launch"
        )
    if experiment.failure is not None:
        return f"{name} failed: {experiment.failure.reason}. F4 shows its log"
    flags = [flag for launch in experiment.counted for flag in launch.validity if flag.disqualifies]
    return f"{name} is invalid: {flags[0].seen}. F4 shows more" if flags else f"{name} has no score"


def _cell(row: Row, cell: Cell, style: dict[str, Style]) -> Text:
    if cell.value is None:
        return Text("  –", style["dim"])
    mark = style["winner"] if cell.mark == "best" else style["tied"] if cell.mark == "tied" else Style()
    text = Text(f"{SIGNS[cell.mark]} {value_with_unit(cell.value, row.metric.unit)}", mark)
    if cell.difference is not None:
        text.append(f"  {percent(cell.difference.relative)} %", style["dim"])
    return text


def _detail(name: str, row: Row, cell: Cell, reference: int | None) -> str:
    if cell.value is None:
        return f"{name} of #{cell.experiment}: not known"
    unit = row.metric.unit
    words = f"{name} of #{cell.experiment}: {value_with_unit(cell.value, unit)}"
    if cell.low is not None and cell.high is not None:
        words += f" [{value_with_unit(cell.low, unit)}, {value_with_unit(cell.high, unit)}]"
    if cell.difference is not None:
        words += f" · {cell.difference} to #{reference}"
    meaning = {"tied": "not told apart from the best", "best": "best of those shown", "ahead": "ahead, unconfirmed"}
    return f"{words} · {meaning[cell.mark]}" if cell.mark else words


class MetricsTable(TunerTable):
    """Shows a sheet; the cursor is on one figure."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="cell", fixed_columns=1, header_height=2)
        self._sheet: Sheet | None = None

    @property
    def styles_by_name(self) -> dict[str, Style]:
        return {name: style_of(self, name) for name in Lines.NAMES}

    @property
    def columns_shown(self) -> tuple[Column, ...]:
        return self._sheet.columns if self._sheet is not None else ()

    @property
    def experiments(self) -> tuple[int, ...]:
        """All that are compared, in order: also those that have no column."""
        return self._sheet.experiments if self._sheet is not None else ()

    @property
    def row_key(self) -> str | None:
        return self.cursor_key

    @property
    def column_key(self) -> str | None:
        """The experiment under the cursor; None on the names."""
        if self._sheet is None or not self.cursor_coordinate.column:
            return None
        at = self.cursor_coordinate.column - 1
        return self._sheet.columns[at].key if at < len(self._sheet.columns) else None

    @property
    def detail(self) -> str:
        """The figure under the cursor in words."""
        if self._sheet is None or self.row_key is None or self.column_key is None:
            return ""
        return self._sheet.details.get((self.row_key, self.column_key), "")

    def show(self, shown: Sheet) -> None:
        before, self._sheet = self._sheet, shown
        if before is None or before.columns != shown.columns:
            at = self.cursor_coordinate
            self.clear(columns=True)
            self.add_column(Text(" "), key="name")
            for column in shown.columns:
                self.add_column(Text(column.title), key=column.key)
            self.show_rows({key: list(cells) for key, cells in shown.rows.items()})
            self.move_cursor(row=at.row, column=max(1, min(at.column or 1, len(shown.columns))))
            return
        self.show_rows({key: list(cells) for key, cells in shown.rows.items()})
