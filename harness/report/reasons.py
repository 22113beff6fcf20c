"""The reasons of a verdict in the reader's language."""

from harness.reason import Reason, phrase
from harness.report.language import Language, catalogue

_NAMED = "outcome", "kind"
"""Values that have a name of their own in other languages."""


def reason_text(reason: Reason, language: Language) -> str:
    """The sentence; what the harness itself found to be wrong with the evidence stays English inside of it."""
    if language.code == "en":
        return reason.text
    named = {name: language.name(name, str(reason.values[name])) for name in _NAMED if name in reason.values}
    return phrase(reason.code, {**reason.values, **named}, catalogue("reason", language.code))
