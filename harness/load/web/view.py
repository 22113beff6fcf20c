"""A snapshot in words, as the tab in Locust's UI and the live overview show it. Pure.

First what must be seen first: whether somebody was handed somebody else's document; then what was exercised, and what
is still unknown. A value that nobody knows is shown as unknown, never as zero.
"""

from collections import Counter
from typing import Literal
from urllib.parse import quote

import msgspec

from harness.live.snapshot import IncidentSeen, Snapshot
from harness.outcome import Outcome
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.reasons import masked_reason, reason_text

Tone = Literal["", "good", "bad", "unsure"]
ROWS_AT_MOST = 100
"""Incidents that a page lists: what is new has to be seen, and all of them are in the report."""
_FEW = 0.001


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One value with its name; `key` names it for programs and style sheets."""

    key: str
    label: str
    value: str
    tone: Tone = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that answer one question."""

    key: str
    title: str
    figures: tuple[Figure, ...]


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An incident in words; `page` is the address of its page below ours."""

    time: str
    recipient: str
    owners: str
    kind: str
    outcome: str
    sync_run: str
    cause: str
    page: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Args:
        title, sentence, tone: of the headline.
        status: how far the run has come.
        groups: handed, exercised, unknown; then the outcomes.
        faults: sentences, one for each gap in the evidence.
        reasons: of the verdict.
        incidents: the last `ROWS_AT_MOST`, the newest first.
    """

    title: str
    sentence: str
    tone: Tone
    status: str
    groups: tuple[Group, ...] = ()
    faults: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    incidents: tuple[IncidentRow, ...] = ()


def make_view(snapshot: Snapshot | None, language: Language, masking: Masking) -> View:
    """What is to be shown of it; None before the first run."""
    if snapshot is None:
        return View(
            title=language.text("web.no_run"),
            sentence=language.text("web.no_run_sentence"),
            tone="",
            status="",
        )
    return _Writer(snapshot, language, masking).view()


def make_row(snapshot: Snapshot, nonce: str, language: Language, masking: Masking) -> IncidentRow | None:
    """One incident of it; None where it has none by that name."""
    found = (incident for incident in snapshot.incidents if incident.nonce == nonce)
    return next(map(_Writer(snapshot, language, masking).incident, found), None)


class _Writer:
    def __init__(self, snapshot: Snapshot, language: Language, masking: Masking) -> None:
        self._seen = snapshot
        self._text = language.text
        self._language = language
        self._masking = masking
        self._unknown = language.text("common.unknown")
        self._outcomes: Counter[Outcome] = Counter()
        for count in snapshot.outcomes:
            self._outcomes[count.outcome] += count.number

    def view(self) -> View:
        title, tone = self._title()
        return View(
            title=title,
            tone=tone,
            sentence=self._sentence(),
            status=self._status(),
            groups=(self._handed(), self._exercised(), self._open(), self._of_outcomes()),
            faults=tuple(map(self._masking.text, self._seen.faults)),
            reasons=tuple(reason_text(masked_reason(one, self._masking), self._language) for one in self._seen.reasons),
            incidents=tuple(map(self.incident, self._seen.incidents[: -ROWS_AT_MOST - 1 : -1])),
        )

    def incident(self, incident: IncidentSeen) -> IncidentRow:
        name, separator = self._language.name, self._text("common.list_separator")
        applied, handed = name("kind", incident.kind), name("kind", incident.delivered_kind)
        return IncidentRow(
            time=clock(incident.at),
            recipient=self._masking.person(incident.recipient),
            owners=separator.join(self._masking.persons(incident.owners)) or self._unknown,
            kind=f"{applied} → {handed or self._unknown}",
            outcome=name("outcome", incident.outcome),
            sync_run=self._unknown if incident.sync_run is None else incident.sync_run or self._text("web.none"),
            cause=name("cause", incident.cause),
            page=f"incident/{quote(incident.nonce, safe='')}",
        )

    def _title(self) -> tuple[str, Tone]:
        seen = self._seen
        if seen.persons:
            return self._text("web.handed_to_stranger"), "bad"
        if seen.misissued:
            return self._text("web.misissued_otherwise"), "bad"
        match seen.verdict:
            case "PASS":
                return self._text("web.title_pass"), "good"
            case "FAIL":
                return self._text("web.title_fail"), "bad"
            case "INCONCLUSIVE":
                return self._text("web.title_inconclusive"), "unsure"
        if seen.state == "decided":
            return self._text("web.title_no_verdict"), "unsure"
        return self._text("web.none_seen"), ""

    def _sentence(self) -> str:
        seen = self._seen
        parts = []
        if seen.verdict is not None:
            parts.append(self._text(f"common.verdict_{seen.verdict}"))
        if seen.misissued:
            key = "web.papers_of_persons" if seen.persons else "web.papers_only"
            parts.append(self._text(key, papers=_number(seen.papers), persons=_number(seen.persons)))
        if seen.state != "decided":
            parts.append(self._text("web.no_verdict_yet" if seen.verdict is None else "web.final_word_later"))
        elif seen.verdict == "PASS":
            parts.append(self._text("web.bound_sentence", bound=self._bound()))
        return self._text("common.sentence_separator").join(parts)

    def _status(self) -> str:
        seen = self._seen
        state = self._text(f"common.run_state_{seen.state}")
        if seen.elapsed_s is None:
            return state
        if not seen.planned_s:
            return self._text("web.status_open", state=state, elapsed=f"{seen.elapsed_s:.0f}")
        values = {"state": state, "elapsed": f"{seen.elapsed_s:.0f}", "planned": f"{seen.planned_s:.0f}"}
        return self._text("web.status_phase" if seen.phase else "web.status", **values, phase=seen.phase)

    def _handed(self) -> Group:
        seen = self._seen
        tone: Tone = "bad" if seen.misissued else "good" if seen.verdict == "PASS" else ""
        return self._group(
            "handed",
            self._figure("misissued", _number(seen.misissued), tone),
            self._figure("papers", self._text("web.papers_value", number=_number(seen.papers)), tone),
            self._figure("persons", self._text("web.persons_value", number=_number(seen.persons)), tone),
            self._figure("last_incident", clock(seen.incidents[-1].at) if seen.incidents else self._text("web.none")),
        )

    def _exercised(self) -> Group:
        seen = self._seen
        figures = [
            self._figure("prints_judged", _number(seen.prints_judged)),
            Figure(
                key="exposures",
                label=self._text(self._of_exposures("web.exposures")),
                value=self._later(seen.exposures),
                tone="unsure" if not seen.exposures else "",
            ),
            self._figure("bound", self._bound(), "unsure" if not seen.exposures else ""),
        ]
        if seen.synchronises:
            figures += [
                self._figure("sync_runs", _number(seen.sync_runs)),
                self._figure("cells", self._cells()),
            ]
        figures.append(self._figure("users", self._known(seen.users)))
        if seen.planned_rate_per_s is not None:
            share = self._unknown if seen.rate_share is None else f"{seen.rate_share:.1%}"
            rate = self._text("web.rate_of_plan", share=share, rate=f"{seen.planned_rate_per_s:g}")
            figures.append(self._figure("rate", rate))
        return self._group("exercised", *figures)

    def _open(self) -> Group:
        seen = self._seen
        undecided = self._outcomes[Outcome.UNDECIDED]
        cut_off = seen.state != "running" and seen.in_flight
        figures = [
            self._figure("gaps", _number(len(seen.faults)), "unsure" if seen.faults else ""),
            self._figure("undecided", _number(undecided), "unsure" if undecided else ""),
            self._figure("in_flight", _number(seen.in_flight), "unsure" if cut_off else ""),
            self._figure("may_have_printed", _number(seen.may_have_printed), "unsure" if seen.may_have_printed else ""),
            self._figure("self_test", self._self_test(), self._self_test_tone()),
            self._figure("error_notices", _number(seen.error_notices), "unsure" if seen.error_notices else ""),
            self._figure("resends", self._known(seen.resends)),
        ]
        if seen.planned_rate_per_s is not None:
            figures.append(self._figure("late_starts", self._known(seen.late_starts)))
        return self._group("unknown", *figures)

    def _of_outcomes(self) -> Group:
        figures = [
            Figure(
                key=outcome.value,
                label=self._text(f"common.outcome_{outcome}"),
                value=_number(self._outcomes[outcome]),
                tone="bad" if outcome.is_misissue else "unsure" if outcome is Outcome.UNDECIDED else "",
            )
            for outcome in Outcome
            if self._outcomes[outcome]
        ]
        return self._group("outcomes", *figures)

    def _cells(self) -> str:
        seen = self._seen
        if seen.cells is None:
            return self._later(None)
        return self._text("web.of", some=_number(len(seen.cells)), all=_number(seen.cells_known))

    def _bound(self) -> str:
        seen = self._seen
        if seen.bound_upper is None:
            return self._later(None)
        if not seen.exposures:
            return self._text(self._of_exposures("web.bound_none"))
        upper = f"{seen.bound_upper:.2%}" if seen.bound_upper >= _FEW else f"{seen.bound_upper:.2g}"
        key = self._of_exposures("web.bound_value")
        return self._text(key, upper=upper, confidence=f"{seen.confidence:.4g}")

    def _self_test(self) -> str:
        """How many load processes are in each state."""
        states = Counter(process.self_test for process in self._seen.processes)
        if not states:
            return self._unknown
        words = [
            self._text("web.state_count", state=self._text(f"common.self_test_{state}"), number=number)
            for state, number in sorted(states.items())
        ]
        return self._text("common.list_separator").join(words)

    def _self_test_tone(self) -> Tone:
        states = {process.self_test for process in self._seen.processes}
        if "missed" in states:
            return "bad"
        return "good" if states == {"caught"} else "unsure"

    def _figure(self, key: str, value: str, tone: Tone = "") -> Figure:
        return Figure(key=key, label=self._text(f"web.{key}"), value=value, tone=tone)

    def _group(self, key: str, *figures: Figure) -> Group:
        return Group(key=key, title=self._text(f"web.group_{key}"), figures=figures)

    def _known(self, number: int | None) -> str:
        return self._unknown if number is None else _number(number)

    def _later(self, number: int | None) -> str:
        """A number that the verdict tells, whether or not it is known before."""
        is_open = number is None and self._seen.state != "decided"
        return self._text("web.known_later") if is_open else self._known(number)

    def _of_exposures(self, key: str) -> str:
        """The text that says what an exposure is of this service."""
        return key if self._seen.synchronises else f"{key}_in_flight"


def _number(number: int) -> str:
    return f"{number:,}"


def clock(at: str) -> str:
    """The time of day of an ISO time, to the second."""
    return at.partition("T")[2][:8]
