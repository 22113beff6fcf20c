"""Why a verdict is what it is."""

from collections.abc import Mapping

from harness.records import Record


class Reason(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One reason of a verdict.

    Args:
        code: which of the few reasons that there are; values: what is said of it in this case.
        text: the sentence in English.
    """

    code: str
    values: Mapping[str, str | int | float]
    text: str
