"""What is written is read back; what is damaged is seen, named, and costs no more than itself."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.ledger import LedgerError
from harness.evidence.segment import SegmentReader, SegmentWriter
from harness.records import Batch, Evidence, Group, Print
from tests.harness.builders import (
    CLOCK,
    EVERY_KIND,
    HOME,
    RUN,
    delivery,
    paper,
    read_segment,
    write_segment,
)


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """A closed segment with a record of every kind."""
    return write_segment(tmp_path, "load-1", EVERY_KIND)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_round_trip(segment: Path) -> None:
    """Every kind of record comes back as it was written, in its order, without a fault."""
    assert {type(record) for record in EVERY_KIND} | {Batch} == set(Evidence.__args__)
    assert read_segment(segment) == (list(EVERY_KIND), [])


def test_clock(segment: Path) -> None:
    """The header names the clock of all times."""
    reader = SegmentReader(segment)
    list(reader)
    assert reader.clock == "monotonic"


def test_header_and_footer(segment: Path) -> None:
    """Header and footer say everything that a reader of another version or another program needs."""
    first, *_, last = lines(segment)
    assert msgspec.json.decode(first) == {
        "type": "header",
        "run": "run-1",
        "segment": "load-1",
        "clock": "monotonic",
        "schema": 2,
        "checksum": "xxh3_128",
    }
    before = b"".join(lines(segment)[:-1])
    assert msgspec.json.decode(last) == {
        "type": "footer",
        "records": len(EVERY_KIND) + 1,
        "digest": xxhash.xxh3_128_hexdigest(before),
    }


def test_greppable(segment: Path) -> None:
    """A segment is one readable line for each record, Japanese included."""
    assert len(lines(segment)) == len(EVERY_KIND) + 3  # header, end of the batch, footer
    assert "証明書エラー" in segment.read_text()


def cut_in_mid_line(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: len(b"".join(lines(path)[:4])) - 10])


def cut_between_lines(path: Path) -> None:
    path.write_bytes(b"".join(lines(path)[:4]))


def cut_last_newline(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_in_a_text(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"nonce":"A1.2"', b'"nonce":"A1.3"'))


def flip_in_the_form(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"nonce":"A1.2"', b'"nonce";"A1.2"'))


def flip_to_no_text(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"nonce":"A1.2"', b'"nonce":"\xff1.2"'))


def take_a_line_out(path: Path) -> None:
    kept = lines(path)
    del kept[3]
    path.write_bytes(b"".join(kept))


def write_after_the_footer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(HOME) + b"\n")


def close_twice(path: Path) -> None:
    with path.open("ab") as file:
        file.write(lines(path)[-1])


def rename_in_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"segment":"load-1"', b'"segment":"load-2"'))


def put_header_late(path: Path) -> None:
    first, second, *rest = lines(path)
    path.write_bytes(b"".join([second, first, *rest]))


def drop_header(path: Path) -> None:
    path.write_bytes(b"".join(lines(path)[1:]))


def raise_schema(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"schema":2', b'"schema":3'))


def name_another_checksum(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"checksum":"xxh3_128"', b'"checksum":"crc32"'))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "fault", "left"),
    [
        (cut_in_mid_line, "cut off or unreadable at line 4", 2),
        (cut_between_lines, "was never closed", 3),
        (cut_last_newline, "cut off at the end of line 16", 13),
        (flip_in_a_text, "does not match its footer", 13),
        (flip_in_the_form, "cut off or unreadable at line 11", 12),
        (flip_to_no_text, "cut off or unreadable at line 11", 12),
        (take_a_line_out, "does not match its footer", 12),
        (write_after_the_footer, "goes on after its footer at line 17", 14),
        (close_twice, "goes on after its footer at line 17", 13),
        (rename_in_header, "has the header of load-2 at line 1", 13),
        (put_header_late, "has the header of load-1 at line 2", 13),
        (drop_header, "has no header: nothing says of which run it is", 13),
        (raise_schema, "has schema 3 with xxh3_128; this version reads schema 2", 13),
        (name_another_checksum, "has schema 2 with crc32", 13),
        (empty, "was never closed", 0),
        (remove, "cannot be read: No such file or directory", 0),
    ],
)
def test_damage(segment: Path, damage: Callable[[Path], None], fault: str, left: int) -> None:
    """Every kind of damage is seen and named with the segment, and everything else stays readable."""
    damage(segment)
    records, faults = read_segment(segment)
    assert any(found.startswith("segment load-1 ") and fault in found for found in faults)
    assert len(records) == left


def test_segment_of_another_name(segment: Path) -> None:
    """A whole segment in the place of another one is seen."""
    segment.rename(segment.with_name("load-2.jsonl"))
    _, faults = read_segment(segment.with_name("load-2.jsonl"))
    assert faults == ["segment load-2 has the header of load-1 at line 1"]


@settings(deadline=None, max_examples=60)
@given(data=st.data(), chosen=st.lists(st.sampled_from(EVERY_KIND), max_size=6))
def test_any_truncation(data: st.DataObject, chosen: list[Evidence]) -> None:
    """A closed segment that was cut anywhere has a fault, and what is left is the beginning of what was written."""
    with TemporaryDirectory() as directory:
        path = write_segment(Path(directory), "load-1", chosen)
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        records, faults = read_segment(path)
    assert faults
    assert records == chosen[: len(records)]


@settings(deadline=None, max_examples=60)
@given(data=st.data(), chosen=st.lists(st.sampled_from(EVERY_KIND), max_size=6))
def test_any_flipped_bit(data: st.DataObject, chosen: list[Evidence]) -> None:
    """A closed segment in which any bit was flipped has a fault."""
    with TemporaryDirectory() as directory:
        path = write_segment(Path(directory), "load-1", chosen)
        damaged = bytearray(path.read_bytes())
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(damaged)
        assert read_segment(path)[1]


def test_batches(tmp_path: Path) -> None:
    """Nothing but the header is on the disk before a flush, unless the batch has grown large; a flush ends a batch."""
    writer = SegmentWriter(tmp_path, "load-1", run=RUN, clock=CLOCK)
    writer.write(HOME)
    assert len(lines(writer.path)) == 1
    writer.flush()
    writer.flush()
    assert len(lines(writer.path)) == 3
    writer.issued = 7
    writer.flush()
    for count in range(5000):
        writer.write(Group(group=f"G{count}", persons=()))
    assert len(lines(writer.path)) > 1000
    writer.close()
    ends = [record for record in SegmentReader(writer.path) if isinstance(record, Batch)]
    assert ends[:2] == [Batch(batch=1, issued=0, records=1), Batch(batch=2, issued=7, records=2)]
    assert [end.batch for end in ends] == list(range(1, len(ends) + 1))
    assert ends[-1].records == 5000 + len(ends)


def test_many_chunks(tmp_path: Path) -> None:
    """A segment of many chunks with damaged lines among them is read but for those, each print from its own place."""
    made = [delivery(f"A{count}", "A", paper("A"), at=(count, 2 * count)) for count in range(20_000)]
    path = write_segment(tmp_path, "load-1", made)
    damaged = path.read_bytes().replace(b'"A4000"', b'"A4\xff00"').replace(b'"A4002"', b"?")
    assert len(damaged) > 3 * 1024 * 1024
    path.write_bytes(damaged)
    kept = [print_ for count, print_ in enumerate(made) if count not in {4000, 4002}]
    records, faults = read_segment(path)
    assert [record for record in records if isinstance(record, Print)] == kept
    assert sum("cut off or unreadable" in fault for fault in faults) == 2
    reader, found = SegmentReader(path), 0
    for chunk in reader.chunks():
        for offset, sent_ns in zip(chunk.prints.offset.tolist(), chunk.prints.sent_ns.tolist(), strict=True):
            assert damaged[offset:].startswith(msgspec.json.encode(kept[found])), sent_ns
            found += 1
    assert found == len(kept)
    assert reader.faults == faults


def test_segment_of_another_run(segment: Path) -> None:
    """A segment of another run is seen where it is known of which run it has to be."""
    reader = SegmentReader(segment, "run-2")
    list(reader)
    assert reader.faults == ["segment load-1 belongs to run run-1, not to run-2"]


def test_close_twice(tmp_path: Path) -> None:
    """Closing again changes nothing."""
    writer = SegmentWriter(tmp_path, "load-1", run=RUN, clock=CLOCK)
    writer.close()
    writer.close()
    assert read_segment(writer.path) == ([], [])


def test_segment_exists(segment: Path) -> None:
    """A segment is never written over."""
    before = segment.read_bytes()
    with pytest.raises(LedgerError, match="File exists"):
        SegmentWriter(segment.parents[1], "load-1", run=RUN, clock=CLOCK)
    assert segment.read_bytes() == before
