"""What is shown of a run in words: first whether somebody was handed somebody else's document."""

import pytest
from msgspec.structs import replace

from harness.live.snapshot import OutcomeCount, ProcessState, Snapshot
from harness.load.web.tab import extended_stats, template_args
from harness.load.web.view import ROWS_AT_MOST, View, make_view
from harness.outcome import Outcome
from harness.report.language import ENGLISH, JAPANESE
from harness.report.masking import Masking
from tests.load.snapshots import IN_FLIGHT, INCIDENT, decided, failing, running

PEOPLE = {"P00057", "P00063", "P00064"}


def view(snapshot: Snapshot | None, reveal: bool = False) -> View:
    """In English."""
    return make_view(snapshot, ENGLISH, Masking(reveal=reveal, people=PEOPLE))


def value(seen: View, key: str) -> tuple[str, str]:
    """Value and tone of one figure."""
    (found,) = [figure for group in seen.groups for figure in group.figures if figure.key == key]
    return found.value, found.tone


@pytest.mark.parametrize(
    ("snapshot", "title", "sentence", "tone"),
    [
        (None, "No run yet", "Start one in Locust's web UI; this page shows it while it goes on.", ""),
        (running(), "No misissuance seen so far", "no verdict before the run is decided", ""),
        (running(state="deciding"), "No misissuance seen so far", "no verdict before the run is decided", ""),
        (
            failing(),
            "Somebody was handed somebody else's document",
            (
                "FAIL; papers handed out: 1; strangers whose data they show: 2; "
                "the rest of the verdict when the run is decided"
            ),
            "bad",
        ),
        (
            failing(persons=0, papers=3, misissued=3, state="decided"),
            "Documents were misissued",
            "FAIL; papers handed out that should not have been: 3",
            "bad",
        ),
        (
            decided(),
            "No misissuance in what was exercised",
            "PASS; a misissuance has a chance of at most 22.09% per exposure, confidence 0.95",
            "good",
        ),
        (running(state="decided", exit_code=4), "Not known: no verdict could be made", "", "unsure"),
        (
            decided("INCONCLUSIVE", "in_flight"),
            "Not known: the run shows too little",
            "INCONCLUSIVE",
            "unsure",
        ),
    ],
)
def test_headline(snapshot: Snapshot | None, title: str, sentence: str, tone: str) -> None:
    """The first thing that is said is whether somebody was handed somebody else's document, or that it is not known."""
    seen = view(snapshot)
    assert (seen.title, seen.sentence, seen.tone) == (title, sentence, tone)


def test_reasons() -> None:
    """Those of the verdict, once there is one."""
    assert view(running()).reasons == ()
    assert view(decided("INCONCLUSIVE", "in_flight")).reasons == (
        "9 print(s) were still in flight at the stop and may have been handed out",
    )


def test_a_load_of_no_known_length() -> None:
    """Where nobody knows how long the load takes only the time that has passed is told."""
    assert view(running(planned_s=0.0, phase="load")).status == "running, 12 s"


def test_what_was_exercised() -> None:
    """Figures are those of the snapshot."""
    seen = view(running())
    assert seen.status == "running, 12 s of a plan of 40 s, phase burst"
    assert value(seen, "prints_judged") == ("1,200", "")
    assert value(seen, "exposures") == ("12", "")
    assert value(seen, "bound") == ("at most 22.09% per exposure, confidence 0.95", "")
    assert value(seen, "cells") == ("1 of 220", "")
    assert value(seen, "sync_runs") == ("21", "")
    assert value(seen, "ok") == ("1,200", "")
    assert value(seen, "self_test") == ("planted: 1", "unsure")


def test_unknown_is_never_zero() -> None:
    """What nobody knows is called so, and what was not shown is no bound."""
    seen = view(running(exposures=None, bound_upper=None, cells=None, processes=(), resends=None))
    assert value(seen, "exposures") == ("known when the run is decided", "unsure")
    assert value(seen, "bound") == ("known when the run is decided", "unsure")
    assert value(seen, "cells") == ("known when the run is decided", "")
    assert value(seen, "self_test") == ("unknown", "unsure")
    assert value(seen, "resends") == ("unknown", "")
    seen = view(running(state="decided", exit_code=4, exposures=None, bound_upper=None, cells=None))
    assert [value(seen, key)[0] for key in ("exposures", "bound", "cells")] == ["unknown"] * 3
    seen = view(running(exposures=0, bound_upper=1.0))
    assert value(seen, "exposures") == ("0", "unsure")
    assert value(seen, "bound") == ("none: no exposure yet", "unsure")


def test_without_sync_runs() -> None:
    """Of a service that synchronises nothing pairs of prints in flight are told, and nothing is said of sync runs."""
    seen = view(IN_FLIGHT)
    told = {figure.key: (figure.label, figure.value) for figure in seen.groups[1].figures}
    assert told == {
        "prints_judged": ("documents judged", "1,200"),
        "exposures": ("pairs of prints in flight", "12"),
        "bound": ("bound on a misissuance", "at most 22.09% per pair, confidence 0.95"),
        "users": ("users at work", "10"),
    }
    assert value(view(replace(IN_FLIGHT, exposures=0, bound_upper=1.0)), "bound") == (
        "none: no two prints in flight at one instant yet",
        "unsure",
    )


def test_rate_and_late_starts_belong_to_a_plan_of_arrivals() -> None:
    """They are shown with one only, and as unknown where they are."""
    keys = [figure.key for group in view(running()).groups for figure in group.figures]
    assert "rate" not in keys
    assert "late_starts" not in keys
    seen = view(running(planned_rate_per_s=200.0, rate_share=0.976, late_starts=4))
    assert value(seen, "rate") == ("97.6% of 200 a second", "")
    assert value(seen, "late_starts") == ("4", "")
    assert value(view(running(planned_rate_per_s=200.0)), "rate") == ("unknown of 200 a second", "")


def test_doubts_stand_out() -> None:
    """Gaps, undecided prints and prints that the stop cut off are marked, most of all a self-test that was missed."""
    tests = tuple(ProcessState(segment=one, issued=1, ended=1, self_test=one, faults=0) for one in ("missed", "caught"))
    seen = view(
        running(
            state="deciding",
            faults=("the disk was full",),
            processes=tests,
            outcomes=(OutcomeCount(outcome=Outcome.UNDECIDED, kind="inkan", number=2),),
        )
    )
    assert value(seen, "gaps") == ("1", "unsure")
    assert [one.value for group in seen.groups for one in group.figures if one.tone == "bad"] == [
        "caught: 1, missed: 1"
    ]
    assert value(seen, "in_flight") == ("9", "unsure")
    assert seen.faults == ("the disk was full",)
    assert value(view(running()), "in_flight") == ("9", "")


def test_sentences_name_nobody() -> None:
    """Persons in reasons and faults have their aliases, unless they are to be shown."""
    snapshot = decided("INCONCLUSIVE", "evidence", faults=("P00063 was printed twice",))
    seen = view(snapshot)
    assert "P00063" not in str(seen)
    assert seen.faults == ("Person 1 was printed twice",)
    assert view(snapshot, reveal=True).faults == ("P00063 was printed twice",)


def test_japanese() -> None:
    """The same in Japanese, in the field's terms."""
    seen = make_view(failing(), JAPANESE, Masking())
    assert seen.title == "他人の証明書が交付された"
    assert "1 件" in seen.sentence
    assert "2 名" in seen.sentence


def rows(snapshot: Snapshot | None, key: str) -> list[dict[str, str]]:
    """Of one of Locust's tables."""
    masking = Masking(people=PEOPLE)
    stats = extended_stats(snapshot, make_view(snapshot, ENGLISH, masking), ENGLISH)
    (found,) = [one["data"] for one in stats if one["key"] == key]
    assert isinstance(found, list)
    return found


def test_every_tab_has_its_table_and_every_table_its_rows() -> None:
    """Locust finds the table of a tab and the rows of a table by their keys, and each column by its key in the rows."""
    args: dict[str, list[dict[str, object]]] = template_args(ENGLISH)  # type: ignore[assignment]
    keys = [tab["key"] for tab in args["extended_tabs"]]
    assert [table["key"] for table in args["extended_tables"]] == keys
    for table in args["extended_tables"]:
        columns = [column["key"] for column in table["structure"]]  # type: ignore[attr-defined]
        for row in rows(failing(), str(table["key"])):
            assert list(row) == columns
            assert all(isinstance(cell, str) and cell for cell in row.values())


def test_the_table_of_incidents() -> None:
    """Each incident has its row, without names, with the address of its page."""
    assert rows(failing(), "misissuance-incidents") == [
        {
            "time": "10:11:12",
            "recipient": "Person 1",
            "owners": "Person 2, Person 3",
            "kind": "inkan → juminhyo",
            "outcome": "wrong_person",
            "sync_run": "S8",
            "cause": ENGLISH.text("common.cause_spurious_release"),
            "page": "misissuance/incident/A3.1",
        }
    ]


def test_what_is_not_known_of_an_incident() -> None:
    """No owner, no kind, no sync run: unknown, and a sync run that none was is none."""
    unknown = failing(incidents=(replace(INCIDENT, owners=(), delivered_kind="", sync_run=None),))
    (row,) = rows(unknown, "misissuance-incidents")
    assert (row["owners"], row["kind"], row["sync_run"]) == ("unknown", "inkan → unknown", "unknown")
    (row,) = rows(failing(incidents=(replace(INCIDENT, sync_run=""),)), "misissuance-incidents")
    assert row["sync_run"] == "none"


def test_the_newest_incidents_come_first() -> None:
    """Of very many the last ones are listed, the newest first."""
    many = tuple(replace(INCIDENT, nonce=f"A{number}.1") for number in range(ROWS_AT_MOST + 5))
    listed = view(failing(incidents=many)).incidents
    assert len(listed) == ROWS_AT_MOST
    assert (listed[0].page, listed[-1].page) == (f"incident/A{ROWS_AT_MOST + 4}.1", "incident/A5.1")


def test_names_in_addresses() -> None:
    """Whatever a service calls a print, its page has an address."""
    (row,) = view(failing(incidents=(replace(INCIDENT, nonce="2/a b?.1"),))).incidents
    assert row.page == "incident/2%2Fa%20b%3F.1"


def test_before_the_first_run() -> None:
    """The tables can be shown before there is a run."""
    assert rows(None, "misissuance-incidents") == []
    assert [row["value"] for row in rows(None, "misissuance")][1] == "misissuance/"
