"""Lines that are read in columns say what they say when each is read by itself."""

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.evidence.lines import read_lines
from harness.evidence.sorts import Sorts
from harness.evidence.texts import Buffer, Texts
from harness.records import Batch, Evidence, Print, PrintEvent
from tests.harness.builders import EVERY_KIND, delivery, failed, paper

decode = msgspec.json.Decoder(Evidence).decode
encode = msgspec.json.encode
names = st.sampled_from(["A1", "A1-12345678.1", '","point":"', "住民票", "\\", "\r", "", "x" * 300])
times = st.integers(0, 2**63 - 1) | st.integers(-(2**63), 2**63 - 1)
prints = st.builds(
    Print,
    application=names,
    attempt=st.integers(1, 3) | st.just(2**31 - 1),
    sent_ns=times,
    answered_ns=times,
    intended_ns=st.none() | st.integers(-3, 2**62),
    applicant=names,
    group=st.just("G"),
    kind=st.sampled_from(["juminhyo", "不明"]),
)
events = st.builds(
    PrintEvent, nonce=names, point=st.sampled_from(["applied", "written", "delivered"]), at_ns=times, slot=names
)
records_ = st.lists(prints | events | st.sampled_from([*EVERY_KIND, Batch(batch=1, issued=2, records=3)]), max_size=8)


def written(records: list[Evidence]) -> bytes:
    return b"".join(encode(record) + b"\n" for record in records)


def check(data: bytes, offset: int = 0) -> int:
    """What is read of the data is what its lines say one by one; returns how many could be read."""
    sorts = Sorts()
    chunk, read = read_lines(Buffer(data), offset, sorts)
    lines = data[:read].split(b"\n")[:-1]
    assert data[:read] == b"".join(line + b"\n" for line in lines)
    whole = [decode(line) for line in lines]
    assert chunk.records == len(whole)
    assert chunk.no_prints == 0
    places = [offset + sum(len(line) + 1 for line in lines[:place]) for place in range(len(lines))]
    its_prints = [(record, place) for record, place in zip(whole, places, strict=True) if isinstance(record, Print)]
    columns = chunk.prints
    assert columns.attempt.tolist() == [print_.attempt for print_, _ in its_prints]
    assert columns.sent_ns.tolist() == [print_.sent_ns for print_, _ in its_prints]
    assert columns.answered_ns.tolist() == [print_.answered_ns for print_, _ in its_prints]
    assert columns.late_ns.tolist() == [
        0 if print_.intended_ns is None else print_.sent_ns - print_.intended_ns for print_, _ in its_prints
    ]
    assert columns.offset.tolist() == [place for _, place in its_prints]
    applications = Texts.of(print_.application for print_, _ in its_prints)
    assert columns.application.digests().tolist() == applications.digests().tolist()
    for number, (print_, _) in zip(columns.sort.tolist(), its_prints, strict=True):
        own = {"application": "", "attempt": 1, "sent_ns": 0, "answered_ns": 0, "intended_ns": None}
        assert sorts.prints[number] == msgspec.structs.replace(print_, **own)
    its_events = [record for record in whole if isinstance(record, PrintEvent)]
    assert chunk.events.at_ns.tolist() == [event.at_ns for event in its_events]
    for number, event in enumerate(its_events):
        columns_ = chunk.events.nonce, chunk.events.point, chunk.events.slot
        assert [column.text(number) for column in columns_] == [event.nonce, event.point, event.slot]
    assert chunk.others == [
        (number, record) for number, record in enumerate(whole) if not isinstance(record, Print | PrintEvent)
    ]
    return len(lines)


def is_plain(record: Evidence) -> bool:
    """Whether the record has to be read in columns: no escape, no time before the clock's zero, no endless name."""
    line = encode(record)
    return not isinstance(record, Print | PrintEvent) or not (b"\\" in line or b":-" in line or b"x" * 300 in line)


@settings(max_examples=300, deadline=None)
@given(records_, st.integers(0, 2**40))
def test_what_was_written(records: list[Evidence], offset: int) -> None:
    """Of lines as they are written all are read up to the first that is not plain, and each says what it said."""
    plain = [is_plain(record) for record in records]
    read = check(written(records), offset)
    assert read >= (plain.index(False) if False in plain else len(plain))


@settings(max_examples=600, deadline=None)
@given(records_, st.data())
@example([delivery("A1", "A", paper("A"))], None)
def test_damaged(records: list[Evidence], data: st.DataObject | None) -> None:
    """Whatever becomes of some bytes: what is read is still what each line says by itself, and the rest is left."""
    content = bytearray(written(records))
    for _ in range(data.draw(st.integers(1, 3)) if data is not None and content else 0):
        assert data is not None
        place = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from(["flip", "cut", "double", "drop"]))
        if change == "flip":
            content[place] ^= data.draw(st.integers(1, 255))
        elif change == "cut":
            content = content[:place]
        elif change == "double":
            content[place:place] = content[max(0, place - 9) : place]
        else:
            del content[place : place + 5]
        if not content:
            break
    check(bytes(content))


def test_rest_behind_damage() -> None:
    """The lines before a damaged one are read, and reading stops where it begins."""
    before = written([failed("A1", "A"), PrintEvent(nonce="A1.1", point="written", at_ns=1, slot="1")])
    rest = b'{"type":"print","application":"A2",?' + written([failed("A3", "A")])
    chunk, read = read_lines(Buffer(before + rest), 0, Sorts())
    assert (read, chunk.records) == (len(before), 2)


def test_a_known_sort_makes_no_damaged_line_right() -> None:
    """A line whose end is that of an earlier print is read only if its beginning is right, too."""
    line = encode(failed("A1", "A", at=(100, 200)))
    for broken in (
        line.replace(b'"sent_ns":100', b'"sent_ns":1e2'),
        line.replace(b'"sent_ns":100', b'"sent_ns":"100"'),
        line.replace(b'"sent_ns":100', b'"sent_ns": 100'),
        line.replace(b'"A1"', b'"A1","attempt":1'),
        line.replace(b'"A1"', b'"A\x1f"'),
        line.replace(b'"A1"', b'"A\xff"'),
        line.replace(b'"A1"', b'"A\n"'),
    ):
        assert broken != line
        chunk, read = read_lines(Buffer(line + b"\n" + broken + b"\n"), 0, Sorts())
        assert (read, chunk.records) == (len(line) + 1, 1)
