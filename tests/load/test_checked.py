"""What a locustfile's own task says of its print is on record, whichever way the task ends."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from tests.harness.builders import KIND, entry, paper
from tests.load.desk import Desk, EnumeratedTarget, Load


def response(status: int, content: bytes = b"", **headers: str) -> SimpleNamespace:
    """As a client of Locust's makes one."""
    return SimpleNamespace(status_code=status, content=content, headers=headers)


def sent(url: str = "http://127.0.0.1/", body: bytes | str | None = None, **headers: str) -> SimpleNamespace:
    """The request of a response."""
    return SimpleNamespace(url=url, body=body, headers=headers)


def test_a_document_is_judged(desk: Desk) -> None:
    """The response that a task got is a print of the person that it named, by the checksum of its body."""
    with desk.user.checked("A", KIND) as print_:
        assert (print_.nonce, print_.applicant, print_.kind, print_.options) == ("A1.1", "A", KIND, ())
        print_.delivered(response(200, paper("A")))
    with desk.user.checked("X", KIND) as print_:
        print_.delivered(paper("A"))  # the bytes alone do as well
    right, wrong = desk.prints()
    assert (right.applicant, right.group, right.kind, right.answer, right.nonce) == (
        "A",
        "G1",
        KIND,
        "document",
        "A1.1",
    )
    assert (wrong.applicant, wrong.checksum) == ("X", right.checksum)
    assert desk.recorder.tally().misissued == 1
    assert desk.recorder.segment.issued == 2
    assert desk.recorder.faults == []


def test_options_without_a_kind(load: Load, desk: Desk) -> None:
    """What was drawn in their place would not be what the task asks for."""
    error = load("harness.load.checked").CheckedError
    with (
        pytest.raises(error, match="found the options my_number and no kind"),
        desk.user.checked("A", None, ["my_number"]),
    ):
        pass
    assert (desk.prints(), desk.recorder.segment.issued, desk.is_free("A")) == ([], 0, True)
    assert desk.recorder.faults


def test_options_are_asked_for(desk: Desk) -> None:
    """Whom and what the task names is what the document is held against, whatever would have been drawn."""
    applicants = [*"AABBABAB"]
    for applicant in applicants:
        with desk.user.checked(applicant, KIND, ["my_number"]) as print_:
            print_.delivered(paper(applicant, options=("my_number",)))
    assert [one.applicant for one in desk.prints()] == applicants
    assert {one.options for one in desk.prints()} == {("my_number",)}


def test_options_in_any_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names them need not know in which order the target has them; a right document is right all the same."""
    options = "household", "my_number"
    monkeypatch.setattr(EnumeratedTarget, "kinds", lambda _: {KIND: options})
    monkeypatch.setattr(desk.recorder._target, "documents", [entry("A", options=options)])
    with desk.user.checked("A", KIND, ("my_number", "household", "my_number")) as print_:
        print_.delivered(paper("A", options=options))
    assert {one.options for one in desk.prints()} == {options}
    assert desk.recorder.counts.outcomes() == {"ok": {KIND: 1}}


@pytest.mark.parametrize(
    ("told", "answer", "text"),
    [
        (lambda print_: print_.refused("left the company"), "refused", "left the company"),
        (lambda print_: print_.error("status 503"), "error", "status 503"),
        (lambda print_: print_.error(""), "error", "error"),
        (lambda print_: print_.unanswered("too late"), "unanswered", "too late"),
        (lambda print_: print_.delivered(response(500)), "error", "broken"),
        (lambda print_: print_.delivered(response(0)), "unanswered", "no answer"),
        (lambda print_: print_.delivered(response(200, b"ab", **{"content-length": "3"})), "unanswered", "cut off"),
    ],
)
def test_no_document(desk: Desk, told: Callable[[Any], None], answer: str, text: str) -> None:
    """What brought no whole document is on record as what it was, and blames nobody for what the client cut off."""
    with desk.user.checked("A", KIND) as print_:
        told(print_)
    (recorded,) = desk.prints()
    assert (recorded.answer, recorded.error) == (answer, text)
    assert desk.recorder.faults == []


def test_the_print_is_in_flight_from_its_nonce_to_its_answer(desk: Desk) -> None:
    """What the task does before it asks for the nonce, and after the answer, is no time in flight."""
    desk.now_ns = 2000
    with desk.user.checked("A", KIND) as print_:
        desk.now_ns = 3000
        assert (print_.nonce, print_.nonce) == ("A1.1", "A1.1")
        desk.now_ns = 4000
        print_.delivered(paper("A"))
        desk.now_ns = 5000
    with desk.user.checked("A", KIND) as print_:
        desk.now_ns = 6000
        print_.delivered(paper("A"))  # who never asked for the nonce has had it in flight all the time
    assert [(print_.sent_ns, print_.answered_ns) for print_ in desk.prints()] == [(3000, 4000), (5000, 6000)]


def test_applying_again(desk: Desk) -> None:
    """After an error the same application gets another attempt, with a nonce of its own."""
    with desk.user.checked("A", KIND) as print_:
        print_.delivered(response(503))
        assert print_.answer.calls_for_reapplication
        print_.again()
        assert print_.nonce == "A1.2"
        print_.delivered(response(200, paper("A")))
    assert [(one.nonce, one.answer) for one in desk.prints()] == [("A1.1", "error"), ("A1.2", "document")]
    assert desk.recorder.segment.issued == 2


@pytest.mark.parametrize("first", ["delivered", "refused", None])
def test_whoever_was_served_does_not_apply_again(load: Load, desk: Desk, first: str | None) -> None:
    """A second document for one application would be a duplicate of the task's own making: the run cannot pass."""
    error = load("harness.load.checked").CheckedError
    with pytest.raises(error, match="after one only"), desk.user.checked("A", KIND) as print_:  # noqa: PT012 - the block is what is tested
        if first is not None:
            getattr(print_, first)(paper("A") if first == "delivered" else "no")
        print_.again()
    assert desk.recorder.faults


def test_one_attempt_has_one_end(load: Load, desk: Desk) -> None:
    """A second word on the same attempt is refused, and the first one stays."""
    error = load("harness.load.checked").CheckedError
    with pytest.raises(error, match="second end"), desk.user.checked("A", KIND) as print_:  # noqa: PT012 - the block is what is tested
        print_.error("first")
        print_.delivered(paper("X"))
    assert [one.error for one in desk.prints()] == ["first"]
    assert desk.recorder.faults


def test_neither_response_nor_bytes(load: Load, desk: Desk) -> None:
    """What cannot be a document is refused, and the attempt is not lost."""
    error = load("harness.load.checked").CheckedError
    with pytest.raises(error, match="found str, right is the response"), desk.user.checked("A", KIND) as print_:
        print_.delivered("payslip of A")
    assert [one.answer for one in desk.prints()] == ["unanswered"]


def test_left_without_a_word(desk: Desk) -> None:
    """An attempt of which the task says nothing may have printed, and nobody has seen what: the run cannot pass."""
    with desk.user.checked("A", KIND):
        pass
    assert [(one.answer, one.error) for one in desk.prints()] == [("unanswered", "the end of the block")]
    assert any("before a word on how the print ended" in fault for fault in desk.recorder.faults)


def test_an_exception_goes_on_and_is_a_fault(desk: Desk) -> None:
    """A check of the task's own may have seen the wrong document before the print was told of it."""
    with pytest.raises(AssertionError), desk.user.checked("A", KIND):
        raise AssertionError("payslip of X")
    assert [(one.answer, one.error) for one in desk.prints()] == [("unanswered", "AssertionError")]
    assert any("found AssertionError" in fault for fault in desk.recorder.faults)
    assert desk.is_free("A")


def test_an_exception_after_the_answer_is_the_tasks_own(desk: Desk) -> None:
    """What was told is judged, whatever becomes of the task."""
    with pytest.raises(ZeroDivisionError), desk.user.checked("A", KIND) as print_:  # noqa: PT012 - the block is what is tested
        print_.delivered(paper("A"))
        raise ZeroDivisionError
    assert [one.answer for one in desk.prints()] == ["document"]
    assert desk.recorder.faults == []


@pytest.mark.parametrize(
    ("request_", "is_its_own"),
    [
        (sent(X_Request="A1.1"), True),
        (sent("http://127.0.0.1/?nonce=A1.1&kind=card"), True),
        (sent(body=b'{"nonce": "A1.1"}'), True),
        (sent(body="nonce=A1.1"), True),
        (sent(X_Request="A1.12"), False),
        (sent("http://127.0.0.1/audit"), False),
        (None, False),
    ],
)
def test_an_exception_that_brings_a_response(desk: Desk, request_: SimpleNamespace | None, is_its_own: bool) -> None:
    """What `raise_for_status` raises tells how the print ended, when it is of the request that took the nonce along.

    The response of another request says nothing of the document that may have come out before.
    """
    broken = OSError("503 Server Error")
    broken.response = response(503)  # type: ignore[attr-defined] # as HTTPError of requests has it
    broken.response.request = request_  # type: ignore[attr-defined] # it has none of its own
    with pytest.raises(OSError, match="503"), desk.user.checked("A", KIND):
        raise broken
    told = ("error", "broken") if is_its_own else ("unanswered", "OSError")
    assert [(one.answer, one.error) for one in desk.prints()] == [told]
    assert bool(desk.recorder.faults) is not is_its_own


def test_whom_locust_kills_is_in_flight(desk: Desk) -> None:
    """A user that is killed in the midst of a print leaves it without an end, and the turn to somebody else."""

    def task() -> None:
        with desk.user.checked("A", KIND):
            gevent.sleep(60)

    user = gevent.spawn(task)
    gevent.sleep(0)
    user.kill()
    assert (desk.prints(), desk.recorder.segment.issued, desk.recorder.faults) == ([], 1, [])
    assert desk.is_free("A")


def test_a_listener_that_throws(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence that cannot be written is a fault of the run, and not the task's alone."""

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(desk.recorder, "record", broken)
    with pytest.raises(OSError, match="disk full"), desk.user.checked("A", KIND) as print_:
        print_.delivered(paper("A"))
    assert any("disk full" in fault for fault in desk.recorder.faults)


def test_a_locustfile_has_one_plugin(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first class that is checked makes it, called like the file, and the others share it."""
    module = load("harness.load.checked")
    monkeypatch.setattr(module, "GuestPlugin", lambda name: SimpleNamespace(profile=name))
    try:
        one: Any = type("One", (module.Checked,), {"__module__": "tests.locustfile"})
        other: Any = type("Other", (module.Checked,), {})
        assert one.plugin is other.plugin
        assert one.plugin.profile == "locustfile"
    finally:
        del module.Checked.plugin
