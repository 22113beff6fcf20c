"""Freedom from false alarms, and finding power, while the link between AP and DB server misbehaves.

A link that is slow, resets its connections and is cut makes prints late and lets kiosks or the center give up; people
apply again while their first print may still be under way. None of that is a misissuance, and none of it hides one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

import pytest

from harness.outcome import Outcome
from harness.records import Print, PrintEvent
from targets.municipal.certificates import read_marks
from tests.quality.conftest import Verification, Verify

_PAPERS = 30_000
_KIOSKS = ("--users", "31")  # ten for each of the three slots, so that there is a queue whenever the link is whole
_SHORT = {"april30": ("--calm-s", "0.3", "--bursts", "1", "--burst-s", "18"), "moving_day": ("--calm-s", "0.3")}
_LONG = {"april30": ("--bursts", "12"), "moving_day": ("--rush-s", "100")}
_KIOSKS_GIVE_UP = {"kiosk_timeout_s": "100"}  # before the center does, so they never learn what became of the print
_CENTER_GIVES_UP = {"kiosk_timeout_s": "180"}  # the default, by which the center tells the kiosks of its time-out
_NOTICED = {"504 timeout": "timeout", "502 image_missing": "image_missing"}
"""Error as the kiosk is told -> code of the error notice. No other error has a cause in these runs."""
_TIMER_SHARE = 0.9  # the timers of an event loop may start from a time that is a little old


def _run(
    verify: Verify,
    profile: str,
    build: str,
    plan: Mapping[str, tuple[str, ...]],
    seed: int,
    time_out: Mapping[str, str],
) -> Verification:
    settings = {"build": build, "topology": "split", "sync": "v2", "link_fault_pause_s": "1.5", **time_out}
    run = verify(profile, *_KIOSKS, "--", *plan[profile], seed=seed, **settings)
    print(run.figures())
    return run


def _check_clean(run: Verification) -> None:
    """No misissuance of any sort is told, nothing is undecided, every refusal is right and every error explained."""
    assert (run.verdict.verdict, run.exit_code) == ("PASS", 0), run.output
    misissues = [outcome for outcome in Outcome if outcome.is_misissue]
    for outcome in (*misissues, Outcome.UNDECIDED, Outcome.REFUSED_WRONG):
        assert run.verdict.outcomes[outcome] == 0
    assert run.verdict.incidents == ()
    assert not any(run.notices.get(attempt.nonce) == "image_missing" for attempt in run.prints.values())
    refused = {attempt.application for attempt in run.prints.values() if attempt.answer == "refused"}
    failed = {attempt.application for attempt in run.failed}
    assert run.verdict.outcomes[Outcome.REFUSED_OK] == len(refused - failed)
    assert bool(refused) == (run.verdict.profile == "moving_day")
    _check_evidence(run)


def _check_found(run: Verification) -> None:
    """Every misissuance that the AP server's own events tell is an incident, every incident is one, and is true."""
    assert (run.verdict.verdict, run.exit_code) == ("FAIL", 1), run.output
    assert run.verdict.outcomes[Outcome.WRONG_PERSON] > 0
    told = {incident.nonce for incident in run.verdict.incidents}
    assert told == {nonce for nonce, writer in _writers(run).items() if writer.group != run.prints[nonce].group}
    for incident in run.verdict.incidents:
        assert incident.outcome is Outcome.WRONG_PERSON
        shown = {person for mark in read_marks(run.misissued_paper(incident.nonce)) for person in mark.persons}
        assert shown == set(incident.owners) == set(incident.exposed_persons)
        assert run.household_of[incident.recipient] not in {run.household_of[person] for person in shown}
        assert incident.sync_run in run.sync_runs
    _check_evidence(run)


def _writers(run: Verification) -> dict[str, Print]:
    """nonce of a print that handed out a document -> whose image was the last to be written to the slot before."""
    of_slot: defaultdict[str, list[PrintEvent]] = defaultdict(list)
    for event in run.print_events:
        if event.point in {"written", "read"}:
            of_slot[event.slot].append(event)
    writers = {}
    for events in of_slot.values():
        writer = ""
        for event in sorted(events, key=lambda one: one.at_ns):
            if event.point == "written":
                writer = event.nonce
            elif run.prints[event.nonce].answer == "document":
                writers[event.nonce] = run.prints[writer]
    return writers


def _check_evidence(run: Verification) -> None:
    _check_accounts(run)
    _check_errors(run)
    _check_faults(run)


def _check_accounts(run: Verification) -> None:
    """Every attempt is on record once, and issued = judged + failed + in flight, nothing being in flight."""
    process = run.process
    assert process.issued == process.judged + process.failed == len(run.prints)
    assert process.failed == len(run.failed)
    assert (process.in_flight_at_stop, process.self_test, run.verdict.resends) == (0, "caught", 0)
    applications = {attempt.application for attempt in run.prints.values()}
    assert sum(run.verdict.outcomes.values()) == len(applications)


def _check_errors(run: Verification) -> None:
    """Every failure has a cause; an application that failed is told as such, with all its errors when it was mended."""
    assert [told for told in (_unexplained(run, attempt) for attempt in run.failed) if told] == []
    mended, final = _applications_with_errors(run)
    assert run.verdict.outcomes[Outcome.ERROR_RETRIED_OK] == len(mended)
    assert run.verdict.outcomes[Outcome.ERROR_FINAL] == len(final)
    failures = {attempt.nonce: attempt for attempt in run.failed if attempt.application in mended}
    listed = {error.nonce: error for error in run.verdict.retried_errors}
    assert listed.keys() == failures.keys()
    for nonce, error in listed.items():
        assert (error.error, error.notice) == (failures[nonce].error, run.notices.get(nonce, ""))


def _unexplained(run: Verification, attempt: Print) -> str:
    """Empty for a time-out that took its time, and for an error that the center gave notice of."""
    took_s = (attempt.answered_ns - attempt.sent_ns) / 1e9
    time_outs = {"no answer": run.settings.kiosk_timeout_s, "504 timeout": run.settings.center_timeout_s}
    at_least_s = _TIMER_SHARE * time_outs.get(attempt.error, 0.0) / run.settings.time_scale
    notice = run.notices.get(attempt.nonce, "none")
    is_known = attempt.error == "no answer" or notice == _NOTICED.get(attempt.error)
    if is_known and took_s >= at_least_s:
        return ""
    return f"{attempt.nonce}: {attempt.answer} {attempt.error!r} after {took_s:.3f} s, notice {notice}"


def _applications_with_errors(run: Verification) -> tuple[set[str], set[str]]:
    """Those that were printed normally when they were made again, and those that never brought a document."""
    failed = {attempt.application for attempt in run.failed}
    papers = {attempt.application for attempt in run.prints.values() if attempt.answer == "document"}
    misissued = {run.prints[incident.nonce].application for incident in run.verdict.incidents}
    return failed & papers - misissued, failed - papers


def _check_faults(run: Verification) -> None:
    """The link did all of its faults to live connections, somebody gave up and applied again, and no slot got stuck."""
    felt = {fault.kind for fault in run.faults if fault.connections}
    assert felt == {"slow", "resets", "cut"}
    errors = Counter(attempt.error for attempt in run.failed)
    assert errors["no answer" if run.settings.kiosk_timeout_s < run.settings.center_timeout_s else "504 timeout"]
    assert any(attempt.attempt > 1 for attempt in run.prints.values())
    delivered_ns = {event.slot: event.at_ns for event in run.print_events if event.point == "delivered"}
    assert len(delivered_ns) == run.settings.slots
    stuck = [slot for slot, last_ns in delivered_ns.items() if last_ns < run.faults[-3].at_ns]  # the plan may end in -1
    assert stuck == [], "no print of these slots was delivered any more"


@pytest.mark.timeout(180)
def test_a_link_with_faults_raises_no_false_alarm(verify: Verify) -> None:
    """On the fixed build every fault of the link and every time-out of a kiosk is told apart from a misissuance."""
    _check_clean(_run(verify, "moving_day", "fixed", _SHORT, 1, _KIOSKS_GIVE_UP))


@pytest.mark.timeout(180)
def test_a_link_with_faults_hides_no_misissuance(verify: Verify) -> None:
    """On the seed build the same faults neither hide a stranger's paper nor charge one to the wrong person."""
    _check_found(_run(verify, "april30", "seed", _SHORT, 1, _CENTER_GIVES_UP))


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_thirty_thousand_prints_raise_no_false_alarm(verify: Verify) -> None:
    """In 30,000 judged papers of both profiles, whoever gives up, the fixed build is charged with nothing."""
    papers = runs = 0
    ways = [(profile, time_out) for time_out in (_KIOSKS_GIVE_UP, _CENTER_GIVES_UP) for profile in _LONG]
    while papers < _PAPERS or runs < len(ways):
        profile, time_out = ways[runs % len(ways)]
        run = _run(verify, profile, "fixed", _LONG, runs, time_out)
        _check_clean(run)
        papers += run.verdict.prints_judged
        runs += 1
    print(f"{papers} papers judged in {runs} runs, no false alarm")


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("time_out", [_KIOSKS_GIVE_UP, _CENTER_GIVES_UP], ids=["kiosk", "center"])
@pytest.mark.parametrize("profile", ["april30", "moving_day"])
def test_the_misissuances_of_long_runs_are_all_found(verify: Verify, profile: str, time_out: Mapping[str, str]) -> None:
    """However long the seed build runs with faults, whoever gives up, incidents and truth are the same set."""
    _check_found(_run(verify, profile, "seed", _LONG, 7, time_out))
