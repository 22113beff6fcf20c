"""Why a verdict, or a comparison of two runs, is what it is: a code, the values, and an English sentence. Pure.

Other languages say the same from code and values (see `harness.report.reasons`), so nothing is in the sentence that is
not in the values.
"""

from collections.abc import Mapping

from harness.records import Record

Values = Mapping[str, str | int | float]

SENTENCES: Mapping[str, str] = {
    "misissued": "{number} print(s) ended as {outcome}",
    "maximum": "{name}: {found}, at most {limit} is allowed",
    "minimum": "{name}: {found}, at least {limit} is required",
    "died": "{died}",
    "evidence": "evidence: {fault}",
    "self_test_missed": "self-test: the wrong image planted in {segment} was not told from a right one",
    "self_test_none": "self-test: no wrong image was planted in {segment}",
    "in_flight": "{number} print(s) were still in flight at the stop and may have been handed out",
    "undecided": "{number} print(s) could not be decided",
    "no_document": "no whole document was judged",
    "no_exposure": "no exposure: the condition that the run is made to provoke never occurred",
    "shown": (
        "{documents} documents judged, {exposures} exposures, {cells_hit} of {cells} coverage cells, no misissuance, "
        "nothing undecided"
    ),
    "shown_in_flight": (
        "{documents} documents judged, {exposures} pair(s) of prints in flight at one instant, no misissuance, "
        "nothing undecided"
    ),
    "self_test_not_asked": "the self-test was not asked for",
    # Of a comparison of two runs, A and B.
    "more_misissued": "{b} print(s) ended as {outcome}, {a} in A",
    "newly_broken": "{name}: {found}, at most {limit} is allowed, which A kept to",
    "run_inconclusive": "run {run} is INCONCLUSIVE",
    "run_with_gaps": "run {run} has incomplete evidence: more may have happened than is on record",
    "not_comparable": "one run was seen from inside and the other from outside: they count different exposures",
    "not_comparable_synchronisation": (
        "one run's service synchronises and the other's does not: they count different exposures"
    ),
    "less_exposures": "{b} exposures, {a} in A",
    "less_sync_runs_met": "{b} sync runs met a print, {a} in A",
    "less_cells": "{b} of the {a} coverage cells that A hit",
    "less_bound": "at most {b} misissuances per exposure are shown, {a} in A",
    # Parts of the sentences on criteria.
    "of_kind": "{metric} of {kind}",
    "no_value": "it never got a value",
}
"""Every code with its sentence, and the parts of sentences."""
EVIDENCE_CODES = frozenset({"died", "evidence", "self_test_missed", "self_test_none", "in_flight"})
"""Codes of reasons that keep the evidence from being whole."""


class Reason(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One reason of a verdict.

    Args:
        code: one of `SENTENCES`.
        values: what the sentence says, by name; a criterion whose metric never got a value has none of that name.
        text: the sentence.
    """

    code: str
    values: Values
    text: str


def make_reason(code: str, **values: str | float) -> Reason:
    """The reason with its sentence."""
    return Reason(code=code, values=values, text=phrase(code, values, SENTENCES))


def phrase(code: str, values: Values, texts: Mapping[str, str]) -> str:
    """The sentence that a language's texts make of code and values; no digit is rounded away."""
    shown = {name: plain(value) for name, value in values.items()}
    if "metric" in values:
        shown["name"] = texts["of_kind"].format_map(shown) if values.get("kind") else shown["metric"]
        shown["found"] = shown.get("value", texts["no_value"])
    return texts[code].format_map(shown)


def plain(value: str | float) -> str:
    """A number with all its digits, and without those that say nothing."""
    return value if isinstance(value, str) else repr(value).removesuffix(".0")
