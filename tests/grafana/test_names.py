"""Dashboards and rules ask for nothing that nobody exports."""

import re
from pathlib import Path

import pytest

from tests.grafana.boards import DASHBOARDS, RULES, Query, queries, read_board, rule_expressions
from tests.grafana.promql import read_names
from tests.grafana.registry import ANY, known_metrics

QUERIES = [query for path in DASHBOARDS for query in queries(read_board(path))]
EXPRESSIONS = [(query.where, query.expression) for query in QUERIES] + [
    (name, expression) for path in RULES for name, expression in rule_expressions(path).items()
]
SUBSTITUTES = {"run": "R", "target": "T", "__rate_interval": "4s", "__range": "60s"}


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_names(where: str, expression: str, tmp_path: Path) -> None:
    """Every metric, label and value of a label that is asked for is one that somebody exports."""
    known = known_metrics(tmp_path)
    names = read_names(Query(where, expression, False, ()).with_variables(SUBSTITUTES))
    assert names.selectors
    for metric, matchers in names.selectors:
        assert metric in known
        for label, operator, value in matchers:
            assert label in known[metric], metric
            if known[metric][label] is not ANY and value:
                asked = set(value.split("|")) if "~" in operator else {value}
                assert asked <= known[metric][label], (metric, label)
    assert names.labels <= {label for metric, _ in names.selectors for label in known[metric]}


@pytest.mark.parametrize("query", QUERIES, ids=[query.where for query in QUERIES])
def test_legends(query: Query, tmp_path: Path) -> None:
    """A legend names labels only that its metrics have."""
    known = known_metrics(tmp_path)
    labels = {label for metric, _ in read_names(query.with_variables(SUBSTITUTES)).selectors for label in known[metric]}
    for legend in query.legends:
        assert set(re.findall(r"\{\{(.*?)\}\}", legend)) <= labels
