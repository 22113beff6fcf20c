"""What a target.toml may say of how documents are told apart: one model a table."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.fingerprint.marks import PERSON
from targets.http.tables import Pattern, Table, as_pattern, exactly_one

Millimetres = Annotated[float, Field(ge=0, le=10_000)]


class MaskTable(Table):
    """What varies by itself in the documents: one thing.

    Args:
        text: regular expression; what it matches, or its group `varies`, varies.
        json_field: dotted path, `*` for any key or item.
        pdf: dates and ids that a PDF carries of its own making.
        page, rectangle_mm: of a page, from 1, what lies in x, y (from the upper left), width and height.
    """

    text: Pattern | None = None
    json_field: Annotated[str | None, Field(alias="json", min_length=1)] = None
    pdf: Literal["metadata"] | None = None
    page: Annotated[int, Field(ge=1, le=10_000)] | None = None
    rectangle_mm: Annotated[list[Millimetres], Field(min_length=4, max_length=4)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "MaskTable":
        exactly_one(self, "text", "json_field", "pdf", "rectangle_mm")
        if (self.page is None) is not (self.rectangle_mm is None):
            raise ValueError("found one of page and rectangle_mm, right is both of them, or none")
        if self.rectangle_mm is not None and 0 in self.rectangle_mm[2:]:
            raise ValueError(f"rectangle_mm: found {self.rectangle_mm}, right is a width and a height above 0")
        return self

    @property
    def key(self) -> str:
        """What it is a mask of, as in the file."""
        given = {"text": self.text, "json": self.json_field, "pdf": self.pdf, "rectangle_mm": self.rectangle_mm}
        return next(key for key, value in given.items() if value is not None)


class MarksTable(Table):
    """Where a document says whose it is.

    Args:
        within: where its words are.
        person: regular expression with the group `person`; a JSON path when they are in JSON.
        by: column of the people that is shown in place of the person.
    """

    within: Annotated[Literal["text", "pdf_text", "json", "barcode"], Field(alias="in")]
    person: Annotated[str, Field(min_length=1)]
    by: str | None = None

    @model_validator(mode="after")
    def _has_person(self) -> "MarksTable":
        if self.within == "json":
            return self
        try:
            as_pattern(self.person)
        except ValueError as error:
            raise ValueError(f"person: {error}") from error
        if PERSON not in re.compile(self.person).groupindex:
            raise ValueError(
                f"person: found {self.person!r}, right is a pattern with a group such as (?P<person>\\w+) where the "
                "person stands"
            )
        return self


MASKS_OF = {
    "bytes": {"text", "json", "pdf"},
    "text": {"text"},
    "json": {"json", "text"},
    "pdf_text": {"text"},
    "pixels": {"rectangle_mm"},
}
"""What may vary in documents that are told apart by one thing or another."""


class FingerprintTable(Table):
    """How documents are told apart.

    Args:
        of: what the checksum is made of; dpi: of the pixels.
        marks: how a document says whose it is, should its checksum be nobody's.
    """

    of: Literal["bytes", "text", "json", "pdf_text", "pixels"] = "bytes"
    dpi: Annotated[int, Field(ge=20, le=600)] | None = None
    masks: Annotated[list[MaskTable], Field(max_length=200)] = []
    marks: MarksTable | None = None

    @model_validator(mode="after")
    def _fitting(self) -> "FingerprintTable":
        for mask in self.masks:
            if mask.key not in MASKS_OF[self.of]:
                fitting = [of for of, keys in MASKS_OF.items() if mask.key in keys]
                raise ValueError(
                    f'masks: found {mask.key}, which of = "{self.of}" has no use for; right is of = '
                    + " or ".join(f'"{of}"' for of in fitting)
                )
        if self.dpi is not None and self.of != "pixels":
            raise ValueError(f'dpi: found {self.dpi}, which of = "{self.of}" has no use for; right is of = "pixels"')
        return self
