"""No name of an expression is overlooked."""

import pytest

from tests.grafana.promql import Selector, read_names


def metrics(expression: str) -> list[str]:
    """The metrics in the order in which they are named."""
    return [selector.metric for selector in read_names(expression).selectors]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("up", ["up"]),
        ("a + b / c - 1.5e3", ["a", "b", "c"]),
        ("rate(a_total[5m])", ["a_total"]),
        ("sum(a)", ["a"]),
        ("sum by (x) (a)", ["a"]),
        ("sum(a) by (x)", ["a"]),
        ("sum without (x, y) (a) > bool 3", ["a"]),
        ("histogram_quantile(0.9, sum by (le) (rate(a_bucket[1m])))", ["a_bucket"]),
        ("a and on (x) b or c unless ignoring (y) d", ["a", "b", "c", "d"]),
        ("a * on (x) group_left (y) b", ["a", "b"]),
        ("last_over_time(a[1h30m] offset 5m) @ 16", ["a"]),
        ("max_over_time(a[5m:1s])", ["a"]),
        ("level:a:sum # and not b", ["level:a:sum"]),
        ("a > Inf or a == NaN", ["a", "a"]),
        ('{x="1"} or b', ["", "b"]),
        ('label_replace(a, "x", "b", "y", "c")', ["a"]),
    ],
)
def test_metrics(expression: str, named: list[str]) -> None:
    """Whatever is no function, no word of the language and no label is a metric."""
    assert metrics(expression) == named


def test_matchers() -> None:
    """Each matcher has its label, its operator and its value, whatever stands in the value."""
    (selector,) = read_names("""a{x="1", y=~"b|c{d}", z!='e, f="g"',}""").selectors
    assert selector == Selector("a", (("x", "=", "1"), ("y", "=~", "b|c{d}"), ("z", "!=", 'e, f="g"')))


def test_labels() -> None:
    """Labels of grouping and of joining are told; those of matchers are told with their metric."""
    names = read_names('sum by (a, b) (m{c="1"}) / on (a) group_left (d) n')
    assert names.labels == {"a", "b", "d"}
    assert metrics("sum by (a, b) (m) / on (a) group_left (d) n") == ["m", "n"]


def test_no_promql() -> None:
    """What cannot be read is refused, and never passed over."""
    with pytest.raises(ValueError, match=r"found '\$x'"):
        read_names("rate(a[5m]) > $x")
