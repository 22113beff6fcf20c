"""How an attempt that ended without a document goes on record. Pure."""

from harness.records import Application, Print
from harness.target import Answer


def print_without_document(
    application: Application, sent_ns: int, answered_ns: int, answer: Answer, intended_ns: int | None
) -> Print:
    """What is recorded of an attempt that brought no document.

    Args:
        intended_ns: see `Print`.
    """
    kind, text = next(
        (
            (kind, text)
            for kind, text in (
                ("refused", answer.refused),
                ("error", answer.error),
                ("unanswered", answer.unanswered),
                ("nothing", answer.nothing),
            )
            if text
        ),
        ("error", ""),
    )
    return Print(
        application=application.application,
        attempt=application.attempt,
        applicant=application.applicant,
        group=application.group,
        kind=application.kind,
        options=application.options,
        sent_ns=sent_ns,
        answered_ns=answered_ns,
        intended_ns=intended_ns,
        answer=kind,  # type: ignore[arg-type] # one of the four
        error=text,
    )
