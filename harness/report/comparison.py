"""A comparison of two runs, on a terminal and as Markdown."""

from collections.abc import Iterable, Iterator

import msgspec
from rich.table import Table
from rich.text import Text

from harness.compare import Comparison, CriterionChange, Difference, Figure, Result, Side
from harness.coverage import Cell
from harness.criteria import Criterion, metric_name
from harness.evidence.ledger import pretty_json
from harness.outcome import Outcome
from harness.report.language import Language
from harness.report.markdown import escape, table_lines
from harness.report.reasons import reason_text
from harness.report.screen import Screen
from harness.report.sentences import cell_name

_SHOWN_CELLS = 5
_SHOWN_DIFFERENCES = 30
_COLOURS: dict[Result, str] = {
    "no_worse": "bold green",
    "worse": "bold red",
    "less_exercised": "bold yellow",
    "inconclusive": "bold yellow",
}
_EXPOSURES = frozenset({"compare.figure_exposures", "compare.check_exposures", "compare.rates"})
_SIGNS: dict[Result, str] = {"no_worse": "✅", "worse": "❌", "less_exercised": "⚠️", "inconclusive": "⚠️"}


def print_comparison(comparison: Comparison, language: Language) -> None:
    """The figures first, then what differs, then the result with its reasons, on stdout."""
    console = Screen()
    for line in _sides(comparison, language):
        console.print(line)
    head, *rows = _rows(comparison, language)
    table = Table(*head, box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for line in _sentences(comparison, language):
        console.print(line)
    result = Text(language.text(f"compare.result_{comparison.result}"), style=_COLOURS[comparison.result])
    reasons = language.text("common.sentence_separator").join(_reasons(comparison, language))
    console.print(result, *(("·", reasons) if reasons else ()))


def comparison_markdown(comparison: Comparison, language: Language) -> str:
    """The same, the result first."""
    result = language.text(f"compare.result_{comparison.result}")
    lines = [f"## {_SIGNS[comparison.result]} {result}", ""]
    for section in (_reasons(comparison, language), _sides(comparison, language)):
        lines += [f"- {escape(line)}" for line in section]
    head, *rows = _rows(comparison, language)
    lines += ["", *table_lines(head, rows), ""]
    lines += [f"- {escape(line)}" for line in _sentences(comparison, language)]
    return "\n".join((*lines, ""))


def comparison_json(comparison: Comparison) -> bytes:
    """The same for programs."""
    return pretty_json(comparison)


def _reasons(comparison: Comparison, language: Language) -> list[str]:
    return [reason_text(reason, language) for reason in comparison.reasons]


def _sides(comparison: Comparison, language: Language) -> Iterator[str]:
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        yield _side(name, side, language)


def _side(name: str, side: Side, language: Language) -> str:
    verdict = language.text(f"common.verdict_{side.verdict}")
    return language.text("compare.side", name=name, directory=side.directory, verdict=verdict, started=side.started)


def _rows(comparison: Comparison, language: Language) -> Iterator[tuple[str, str, str, str]]:
    """The head of the table, then a row for each figure; of outcomes those that there were."""
    yield language.text("compare.what"), "A", "B", language.text("compare.change")
    for figure in comparison.figures:
        if figure.name not in set(Outcome):
            name = language.text(_of_exposures(f"compare.figure_{figure.name}", comparison))
        elif figure.a or figure.b:
            name = language.text(f"common.outcome_{figure.name}")
        else:
            continue
        yield (
            name,
            _value(figure.name, figure.a, language),
            _value(figure.name, figure.b, language),
            _change(figure, language),
        )


def _value(name: str, value: float | None, language: Language) -> str:
    if value is None:
        return language.text("common.unknown")
    if name.endswith("_s"):
        return language.text("compare.seconds", seconds=value)
    return language.text("compare.share", share=value) if name == "error_share" else str(value)


def _change(figure: Figure, language: Language) -> str:
    """A difference of counts, a ratio of times; nothing where there is none."""
    if figure.a is None or figure.b is None or figure.a == figure.b or figure.name == "error_share":
        return ""
    if figure.name.endswith("_s"):
        return language.text("compare.ratio", ratio=figure.b / figure.a) if figure.a else ""
    return f"{figure.b - figure.a:+}"


def _sentences(comparison: Comparison, language: Language) -> Iterator[str]:
    yield _rates(comparison, language)
    yield _exercised(comparison, language)
    for name, cells in (("lost", comparison.cells_lost), ("gained", comparison.cells_gained)):
        if cells:
            yield language.text(f"compare.cells_{name}", number=len(cells), cells=_cells(cells, language))
    for change in comparison.criteria:
        yield _criterion(change, language)
    for difference in comparison.setup[:_SHOWN_DIFFERENCES]:
        yield _difference(difference, language)
    if len(comparison.setup) > _SHOWN_DIFFERENCES:
        yield language.text("compare.more", number=len(comparison.setup) - _SHOWN_DIFFERENCES)


def _of_exposures(key: str, comparison: Comparison) -> str:
    """The text that says what an exposure is, where the key is of one."""
    return f"{key}_in_flight" if key in _EXPOSURES and not comparison.synchronises else key


def _rates(comparison: Comparison, language: Language) -> str:
    rates = comparison.rates
    counts = {name: getattr(rates, name) for name in ("a_events", "a_n", "b_events", "b_n")}
    text = language.text(_of_exposures("compare.rates", comparison), **counts)
    if rates.p_value is None:
        return text + language.text("compare.rates_unknown")
    name = "told" if rates.told else "chance"
    return text + language.text(f"compare.rates_{name}", p_value=rates.p_value)


def _exercised(comparison: Comparison, language: Language) -> str:
    answers = {True: "yes", False: "no", None: "unknown"}
    checks = language.text("common.list_separator").join(
        language.text(
            "compare.check",
            name=language.text(_of_exposures(f"compare.check_{check.name}", comparison)),
            answer=language.text(f"compare.answer_{answers[check.holds]}"),
        )
        for check in comparison.exercise
    )
    text = language.text("compare.exercised", checks=checks)
    return text + language.text("compare.tolerance", tolerance=comparison.tolerance) if comparison.tolerance else text


def _cells(cells: Iterable[Cell], language: Language) -> str:
    names = [cell_name(cell, language) for cell in cells]
    shown = [*names[:_SHOWN_CELLS], "…"] if len(names) > _SHOWN_CELLS else names
    return language.text("common.list_separator").join(shown)


def _criterion(change: CriterionChange, language: Language) -> str:
    known = change.b or change.a
    if known is None:
        raise AssertionError("this should never happen, because a change has a criterion on one side at least")
    return language.text(
        "compare.criterion",
        name=f"{known.side} {metric_name(known.metric, known.kind)}",
        a=_result(change.a, language),
        b=_result(change.b, language),
    )


def _result(criterion: Criterion | None, language: Language) -> str:
    return language.text(f"compare.criterion_{criterion.result if criterion is not None else 'absent'}")


def _difference(difference: Difference, language: Language) -> str:
    a, b = (
        language.text("compare.none") if value is None else msgspec.json.encode(value).decode()
        for value in (difference.a, difference.b)
    )
    return language.text("compare.setup", name=difference.name, a=a, b=b)
