"""Who gets a document in a locustfile's own task, and when nobody does."""

from pathlib import Path

import gevent
import pytest

from tests.harness.builders import KIND, OTHER, paper
from tests.load.desk import Desk, Load


def test_nobody_in_particular(desk: Desk) -> None:
    """Without an applicant whoever is free applies, for something that there is, and no two at once for one group."""
    with desk.user.checked() as one, desk.user.checked() as other:
        assert {one.applicant, other.applicant} & {"X"}
        assert {one.applicant, other.applicant} & {"A", "B"}
        assert one.kind == KIND
        one.refused("")
        other.refused("")
    assert desk.recorder.faults == []


def test_clerks_change_those_who_apply_here(load: Load, tmp_path: Path) -> None:
    """Else somebody who is born in another process's sight would be a stranger on the paper of the own household."""
    active = Desk(load, tmp_path, share=(1,)).active
    with active.changed.lease() as changed, active.applicants.lease() as applying:
        assert changed == applying == OTHER
        with pytest.raises(load("harness.load.leases").NoGroupFreeError):
            active.changed.lease().__enter__()


def test_one_person_after_the_other(desk: Desk) -> None:
    """Who asks for somebody of a group that is being served waits, so that no two prints have one identity at once."""
    order: list[str] = []

    def task(name: str, applicant: str) -> None:
        with desk.user.checked(applicant, KIND) as print_:
            order.append(f"{name} begins")
            gevent.sleep(0.01)
            order.append(f"{name} ends")
            print_.delivered(paper(applicant))

    users = [gevent.spawn(task, *told) for told in (("one", "A"), ("two", "B"), ("three", "A"))]
    gevent.joinall(users, timeout=20, raise_error=True)
    assert order == [f"{name} {what}" for name in ("one", "two", "three") for what in ("begins", "ends")]
    assert desk.recorder.faults == []


@pytest.mark.parametrize(
    ("applicant", "kind", "options", "sentence"),
    [
        ("Z", KIND, (), "found the applicant 'Z', right is a test person of stub, such as A"),
        ("A", "payslip", (), f"found the kind 'payslip', right is one of stub: {KIND}"),
        ("A", KIND, ("signed",), f"found the option 'signed' of {KIND}, right is my_number"),
    ],
)
def test_what_nobody_could_judge(
    load: Load, desk: Desk, applicant: str, kind: str, options: tuple[str, ...], sentence: str
) -> None:
    """A person or a document that there is not is refused before anything is sent, and the run cannot pass."""
    error = load("harness.load.named").NamedError
    with pytest.raises(error, match=sentence.replace("'", ".")), desk.user.checked(applicant, kind, options):
        raise AssertionError("nothing is to begin")
    assert desk.recorder.segment.issued == 0
    assert any(sentence in fault for fault in desk.recorder.faults)
    assert desk.is_free("A")


def test_an_applicant_of_another_process(load: Load, tmp_path: Path) -> None:
    """Each process has its own people; whoever names another's is told what to do."""
    desk = Desk(load, tmp_path, share=(1,))
    error = load("harness.load.checked").CheckedError
    with pytest.raises(error, match="leave the choice to checked"), desk.user.checked("A", KIND):
        raise AssertionError("nothing is to begin")
    with desk.user.checked() as print_:
        assert print_.applicant == "X"
        print_.refused("")


@pytest.mark.parametrize("why", ["no run yet", "the plan is through", "the test is stopping", "cut short"])
def test_nothing_begins_when_there_is_no_time(load: Load, desk: Desk, why: str) -> None:
    """Before the run and at its end Locust leaves the task, and nothing is sent that it would cut off."""
    if why == "no run yet":
        desk.plugin.active = None
    elif why == "the plan is through":
        desk.now_ns += 61 * 10**9
    elif why == "the test is stopping":
        desk.active.drain()
    else:
        desk.active.cut_short = True
    reschedule = load("locust.exception").RescheduleTask
    with pytest.raises(reschedule), desk.user.checked("A", KIND):
        raise AssertionError("nothing is to begin")
    assert desk.recorder.segment.issued == 0
    assert desk.recorder.faults == []


def test_who_waits_for_a_turn_that_comes_too_late(load: Load, desk: Desk) -> None:
    """When the run ends meanwhile the task is left, nothing is sent, and the run has no fault."""
    reschedule = load("locust.exception").RescheduleTask

    def task() -> None:
        with pytest.raises(reschedule), desk.user.checked("B", KIND):
            raise AssertionError("nothing is to begin")

    with desk.user.checked("A", KIND) as print_:
        waiting = gevent.spawn(task)
        gevent.sleep(0)
        desk.active.cut_short = True
        print_.refused("")
    waiting.get(timeout=20)
    assert (desk.recorder.segment.issued, desk.recorder.faults) == (1, [])


def test_nobody_is_free_when_there_is_no_time(load: Load, desk: Desk) -> None:
    """At the end of the run too many users are no fault of anybody's, as nothing begins anyway."""
    reschedule = load("locust.exception").RescheduleTask
    with desk.user.checked("A", KIND) as one, desk.user.checked("X", KIND) as other:
        desk.active.cut_short = True
        with pytest.raises(reschedule), desk.user.checked():
            raise AssertionError("nothing is to begin")
        one.refused("")
        other.refused("")
    assert desk.recorder.faults == []


def test_a_plan_of_arrivals(load: Load, tmp_path: Path) -> None:
    """With a rate each print waits for its due time, from which its latency counts."""
    desk = Desk(load, tmp_path, rate=100.0)
    desk.active._started_ns = desk.now_ns
    for applicant in ("A", "X"):
        with desk.user.checked(applicant, KIND) as print_:
            print_.refused("")
    assert [one.intended_ns for one in desk.prints()] == [1000, 1000 + 10**7]
