"""The reasons of a verdict in the reader's language."""

from msgspec.structs import replace

from harness.reason import SENTENCES, Reason, phrase
from harness.report.language import Language, catalogue
from harness.report.masking import Masking

_NAMED = "outcome", "kind"
"""Values that have a name of their own in other languages."""


def reason_text(reason: Reason, language: Language) -> str:
    """The sentence; what the harness itself found to be wrong with the evidence stays English inside of it."""
    if language.code == "en":
        return reason.text
    named = {name: language.name(name, str(reason.values[name])) for name in _NAMED if name in reason.values}
    return phrase(reason.code, {**reason.values, **named}, catalogue("reason", language.code))


def masked_reason(reason: Reason, masking: Masking) -> Reason:
    """Without the names of persons. Its numbers stay, for a count is no person, also where somebody is called so."""
    if masking.reveal:
        return reason
    values = {name: masking.text(value) if isinstance(value, str) else value for name, value in reason.values.items()}
    known = reason.code in SENTENCES
    return replace(
        reason, text=phrase(reason.code, values, SENTENCES) if known else masking.text(reason.text), values=values
    )
