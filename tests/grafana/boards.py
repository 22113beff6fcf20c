"""The files under grafana/, as tests look at them."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

GRAFANA = Path(__file__).parents[2] / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RULES = sorted((GRAFANA / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((GRAFANA / "prometheus" / "tests").glob("*.yml"))
CONFIG = GRAFANA / "prometheus" / "prometheus.yml"

Board = Mapping[str, Any]
Panel = Mapping[str, Any]


class Query(NamedTuple):
    """One query of a dashboard: of a panel, or of an annotation."""

    where: str
    expression: str
    instant: bool
    legends: tuple[str, ...]
    """Texts in which {{label}} stands for a label of the result, and names of such labels."""

    def with_variables(self, variables: Mapping[str, str]) -> str:
        """The expression as Grafana sends it: $name and ${name} replaced."""
        return re.sub(
            r"\$(?:\{(\w+)\}|(\w+))", lambda found: variables[found.group(1) or found.group(2)], self.expression
        )


def read_board(path: Path) -> Board:
    """A dashboard."""
    board: Board = json.loads(path.read_text(encoding="utf-8"))
    return board


def panels(board: Board) -> list[Panel]:
    """Those that show something: all but the rows, which are headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: Board) -> Iterator[Query]:
    """Those of all panels and annotations."""
    for panel in panels(board):
        for target in panel["targets"]:
            where = f"{board['title']} / {panel['title']} / {target['refId']}"
            yield Query(where, target["expr"], target["instant"], (target["legendFormat"],))
    for annotation in annotations(board):
        texts = (annotation["titleFormat"], annotation["textFormat"], f"{{{{{annotation['tagKeys']}}}}}")
        yield Query(f"{board['title']} / {annotation['name']}", annotation["target"]["expr"], False, texts)


def annotations(board: Board) -> list[Mapping[str, Any]]:
    """Those that ask Prometheus; each dashboard has one of Grafana's own beside them."""
    return [annotation for annotation in board["annotations"]["list"] if not annotation.get("builtIn")]


def rule_expressions(path: Path) -> dict[str, str]:
    """Rule -> expression, of a rule file in the form that ours have: `expr:` with a text, or with `|` and a block."""
    text = path.read_text(encoding="utf-8")
    rules = re.findall(r"- (?:alert|record): (\S+)\n +expr: (?:\|\n((?: {10}.*\n)+)|(.+)\n)", text)
    expressions = {name: block or line for name, block, line in rules}
    if len(rules) != len(re.findall(r"- (?:alert|record): ", text)):
        message = f"{path} has a rule of another form than this function reads"
        raise AssertionError(message)
    return expressions
