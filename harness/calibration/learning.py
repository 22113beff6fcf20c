"""Learns masks from documents that vary by themselves: JSON by path, PDF by its metadata or its text, text by pattern.

Pure: the same documents make the same masks. Whatever is none of these and varies is refused.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Literal

from harness.calibration.forms import FORMS, Near, are_now
from harness.calibration.json_paths import learn_paths, values_at
from harness.calibration.texts import Places, UnlearnableError, apply, found, judge, learn_text, text_of, values_of
from harness.fingerprint import Mask, UnreadableError
from harness.fingerprint.json_mask import JsonMask
from harness.fingerprint.pdf_metadata import PdfMetadata
from harness.fingerprint.pdf_text import PdfText
from harness.fingerprint.text_mask import TextMask
from harness.records import Record

Cases = Sequence[Sequence[bytes]]
"""Of each case its prints, all of them documents."""

_SAMPLES = 3
_PDF = b"%PDF-"
_PDF_WITHIN = 1024  # bytes, as readers of PDF have it


class LearntMask(Record, frozen=True, kw_only=True):
    """One mask, as a target.toml would have it in `[fingerprint]`.

    Args:
        value: pattern, path, or what of a PDF.
        samples: some of what was seen there.
    """

    key: Literal["text", "json", "pdf"]
    value: str
    samples: tuple[str, ...] = ()


class Learnt(Record, frozen=True, kw_only=True):
    """What of the documents varies by itself.

    Args:
        of: what checksums are made of, as in a target.toml.
    """

    of: Literal["bytes", "json", "pdf_text"] = "bytes"
    masks: tuple[LearntMask, ...] = ()


def masks_of(learnt: Learnt) -> list[Mask]:
    """The masks, to be applied one after the other.

    Raises:
        ValueError: for a mask that nobody could have learnt.
    """
    first = _first(learnt)
    return [*([first] if first is not None else []), *(_mask(mask) for mask in learnt.masks if mask.key != "json")]


def _first(learnt: Learnt) -> Mask | None:
    """What makes the documents into what the other masks are for."""
    if learnt.of == "pdf_text":
        return PdfText()
    return JsonMask(*(mask.value for mask in learnt.masks if mask.key == "json")) if learnt.of == "json" else None


def _mask(mask: LearntMask) -> Mask:
    return TextMask(mask.value) if mask.key == "text" else PdfMetadata()


def learn(cases: Cases, near: Near) -> Learnt:
    """Masks after which all prints of each case are alike.

    Raises:
        UnlearnableError: when there are none; says why.
    """
    documents = [document for prints in cases for document in prints]
    is_varying = any(len(set(prints)) > 1 for prints in cases)
    kinds = {_kind(document) for document in documents}
    if len(kinds) > 1:
        if not is_varying:
            return Learnt()
        raise UnlearnableError(
            f"some documents are {' and some '.join(sorted(kinds))}, and they vary by themselves; right is a "
            "target.toml of its own for each sort"
        )
    learners: Mapping[str, Callable[[Cases, Near], Learnt]] = {
        "JSON": _learn_json,
        "PDF": _learn_pdf,
        "text": _learn_text,
    }
    (kind,) = kinds or {""}
    if kind in learners:
        return learners[kind](cases, near)
    if is_varying:
        raise UnlearnableError("documents vary by themselves, and are neither JSON nor PDF nor text in UTF-8")
    return Learnt()


def contradicting(learnt: Learnt, cases: Iterable[tuple[int, Sequence[bytes]]], near: Near) -> list[int]:
    """The cases whose prints are not alike by the masks, or of which a mask hides what does not vary.

    Args:
        cases: each with its number.
    """
    unlike: list[int] = []
    hidden: list[dict[int, Places]] = [{} for _ in learnt.masks]
    for number, prints in cases:
        try:
            places = _hidden(learnt, prints)
        except UnreadableError:
            places = None
        if places is None:
            unlike.append(number)
            continue
        for known, found_here in zip(hidden, places, strict=True):
            known[number] = found_here
    return [*dict.fromkeys(chain(unlike, *(_steady(known, near) for known in hidden)))]


def _hidden(learnt: Learnt, prints: Sequence[bytes]) -> list[Places] | None:
    """What each mask hides of the prints of a case; None when the prints are not alike then."""
    first = _first(learnt)
    places: list[Places | None] = [values_at(mask.value, prints) for mask in learnt.masks if mask.key == "json"]
    if first is not None:
        prints = [first.apply(document) for document in prints]
    for mask in learnt.masks:
        if mask.key == "text":
            places.append(found(mask.value, [text_of(document) for document in prints]))
        elif mask.key == "pdf":
            places.append([])
        if mask.key != "json":
            prints = [_mask(mask).apply(document) for document in prints]
    return None if None in places or len(set(prints)) > 1 else [one for one in places if one is not None]


def _steady(cases: Mapping[int, Places], near: Near) -> list[int]:
    """The cases that speak against a mask which hides this of them."""
    values = {value for places in cases.values() for seen in places for value in seen}
    if are_now(values, near):
        return []
    forms = (form for form in FORMS if all(form.finder.fullmatch(value) for value in values))
    if any(judge(form, [*cases.values()], near) for form in forms):
        return []
    varied = {value for places in cases.values() for seen in places if len(set(seen)) > 1 for value in seen}
    against = [number for number, places in cases.items() if any(seen[0] not in varied for seen in places)]
    return against or [*cases]


def _kind(document: bytes) -> str:
    if _PDF in document[:_PDF_WITHIN]:
        return "PDF"
    try:
        text = document.decode()
    except UnicodeDecodeError:
        return "of another sort"
    try:
        if not isinstance(json.loads(text), dict | list):
            return "text"
        JsonMask().apply(document)
    except (ValueError, RecursionError, UnreadableError):  # or JSON that not everybody reads the same
        return "text"
    return "JSON"


def _learn_text(cases: Cases, near: Near) -> Learnt:
    return Learnt(masks=_text_masks(cases, near))


def _learn_json(cases: Cases, near: Near) -> Learnt:
    canonical = _masked(JsonMask(), cases)
    samples = learn_paths(canonical, near)
    paths = tuple(LearntMask(key="json", value=path, samples=tuple(seen[:_SAMPLES])) for path, seen in samples.items())
    texts = _text_masks(_masked(JsonMask(*samples), cases), near)
    needs_json = bool(paths or texts) or any(len(set(prints)) > 1 for prints in cases)
    return Learnt(of="json" if needs_json else "bytes", masks=(*paths, *texts))


def _learn_pdf(cases: Cases, near: Near) -> Learnt:
    made = LearntMask(key="pdf", value="metadata")
    is_varying = any(len(set(prints)) > 1 for prints in cases)
    unreadable = ""
    try:
        masks = _text_masks(_masked(PdfText(), cases), near)
    except UnreadableError as error:  # such as a page that was scanned
        masks, unreadable = (), str(error)
    if masks:
        return Learnt(of="pdf_text", masks=masks)
    if not is_varying:
        return Learnt()
    if all(len(set(prints)) == 1 for prints in _masked(PdfMetadata(), cases)):
        return Learnt(masks=(made,))
    if unreadable:
        raise UnlearnableError(f"PDF files vary by themselves, of which the words cannot be compared: {unreadable}")
    return Learnt(of="pdf_text")


def _masked(mask: Mask, cases: Cases) -> list[list[bytes]]:
    return [[mask.apply(document) for document in prints] for prints in cases]


def _text_masks(cases: Cases, near: Near) -> tuple[LearntMask, ...]:
    texts = [[text_of(document) for document in prints] for prints in cases]
    made = []
    for mask in learn_text(texts, near):
        seen = [value for prints in texts for text in prints for value in values_of(mask.pattern, text)]
        made.append(LearntMask(key="text", value=mask.pattern, samples=tuple(dict.fromkeys(seen))[:_SAMPLES]))
        texts = [[apply(mask, text) for text in prints] for prints in texts]
    return tuple(made)
