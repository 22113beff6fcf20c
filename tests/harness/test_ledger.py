"""What is written is read back; what is damaged is seen, named, and costs no more than itself."""

import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.ledger import (
    RUN_FILE,
    VERDICT_FILE,
    LedgerError,
    SegmentReader,
    SegmentWriter,
    create_run_directory,
    read_run,
    segment_path,
    write_json,
)
from harness.records import ErrorNotice, Evidence, Issued, PrintEvent
from tests.harness.builders import (
    HOME,
    change,
    delivery,
    describe,
    entry,
    failed,
    mark,
    paper,
    strict,
    sync_run,
    write_segment,
)

EVERY_KIND: tuple[Evidence, ...] = (
    HOME,
    entry("A", options=("my_number",)),
    delivery("A1", "A", paper("A"), marks=(mark("A"), mark("X", page=2))),
    failed("A1", "A", attempt=2),
    change(2, sent_ns=5),
    msgspec.structs.replace(change(3, sent_ns=6), answered_ns=None),
    sync_run(applied=[("G1", 2)]),
    msgspec.structs.replace(sync_run("S2"), end_ns=None, acknowledged_ns=None),
    PrintEvent(nonce="A1.1", point="written", at_ns=7, slot="2"),
    ErrorNotice(nonce="A1.2", code="証明書エラー", at_ns=8),
    Issued(count=2),
)


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """A closed segment with a record of every kind."""
    return write_segment(tmp_path, "load-1", EVERY_KIND)


def read(path: Path) -> tuple[list[Evidence], list[str]]:
    """Records and faults."""
    reader = SegmentReader(path)
    return list(reader), reader.faults


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_round_trip(segment: Path) -> None:
    """Every kind of record comes back as it was written, in its order, without a fault."""
    assert {type(record) for record in EVERY_KIND} == set(Evidence.__args__)
    assert read(segment) == (list(EVERY_KIND), [])


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
        "segment": "load-1",
        "clock": "monotonic",
        "schema": 1,
        "checksum": "xxh3_128",
    }
    before = b"".join(lines(segment)[:-1])
    assert msgspec.json.decode(last) == {
        "type": "footer",
        "records": len(EVERY_KIND),
        "digest": xxhash.xxh3_128_hexdigest(before),
    }


def test_greppable(segment: Path) -> None:
    """A segment is one readable line for each record, Japanese included."""
    assert len(lines(segment)) == len(EVERY_KIND) + 2
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
        file.write(msgspec.json.encode(Issued(count=9)) + b"\n")


def close_twice(path: Path) -> None:
    with path.open("ab") as file:
        file.write(lines(path)[-1])


def rename_in_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"segment":"load-1"', b'"segment":"load-2"'))


def put_header_late(path: Path) -> None:
    first, second, *rest = lines(path)
    path.write_bytes(b"".join([second, first, *rest]))


def raise_schema(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"schema":1', b'"schema":2'))


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
        (cut_last_newline, "cut off at the end of line 13", 11),
        (flip_in_a_text, "does not match its footer", 11),
        (flip_in_the_form, "cut off or unreadable at line 11", 10),
        (flip_to_no_text, "cut off or unreadable at line 11", 10),
        (take_a_line_out, "does not match its footer", 10),
        (write_after_the_footer, "goes on after its footer at line 14", 12),
        (close_twice, "goes on after its footer at line 14", 11),
        (rename_in_header, "has the header of load-2 at line 1", 11),
        (put_header_late, "has the header of load-1 at line 2", 11),
        (raise_schema, "has schema 2 with xxh3_128; this version reads schema 1", 11),
        (name_another_checksum, "has schema 1 with crc32", 11),
        (empty, "was never closed", 0),
        (remove, "cannot be read: No such file or directory", 0),
    ],
)
def test_damage(segment: Path, damage: Callable[[Path], None], fault: str, left: int) -> None:
    """Every kind of damage is seen and named with the segment, and everything else stays readable."""
    damage(segment)
    records, faults = read(segment)
    assert any(found.startswith("segment load-1 ") and fault in found for found in faults)
    assert len(records) == left


def test_segment_of_another_name(segment: Path) -> None:
    """A whole segment in the place of another one is seen."""
    segment.rename(segment.with_name("load-2.jsonl"))
    _, faults = read(segment.with_name("load-2.jsonl"))
    assert faults == ["segment load-2 has the header of load-1 at line 1"]


@settings(deadline=None, max_examples=60)
@given(data=st.data(), chosen=st.lists(st.sampled_from(EVERY_KIND), max_size=6))
def test_any_truncation(data: st.DataObject, chosen: list[Evidence]) -> None:
    """A closed segment that was cut anywhere has a fault, and what is left is the beginning of what was written."""
    with TemporaryDirectory() as directory:
        path = write_segment(Path(directory), "load-1", chosen)
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        records, faults = read(path)
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
        assert read(path)[1]


class Disk:
    """Takes a number of bytes, in pieces of its own size, and then is full."""

    def __init__(self, room: int, piece: int) -> None:
        self.room = room
        self.piece = piece
        self._write = os.write

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(descriptor, data[: min(self.room, self.piece)])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [0, 1, 40, 200, 2000])
@pytest.mark.parametrize("piece", [7, 1 << 20])
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, piece: int) -> None:
    """A full disk is said; nothing of the batch is lost or doubled when space comes back, and the digest is right."""
    writer = SegmentWriter(tmp_path, "load-1", "monotonic")
    disk = Disk(room, piece)
    many = EVERY_KIND * 5
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", disk.write)
        for record in many:
            writer.write(record)
        for _ in range(2):
            with pytest.raises(LedgerError, match="No space left on device"):
                writer.flush()
        disk.room = 1 << 30
        writer.flush()
        writer.close()
    assert read(writer.path) == (list(many), [])


def test_full_disk_in_mid_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record whose own write found the disk full is in the batch, once."""
    writer = SegmentWriter(tmp_path, "load-1", "monotonic")
    disk = Disk(100_000, 1 << 20)
    monkeypatch.setattr(os, "write", disk.write)
    big = ErrorNotice(nonce="A1.1", code="x" * 70_000, at_ns=1)
    writer.write(big)
    with pytest.raises(LedgerError):
        writer.write(big)
    disk.room = 1 << 30
    writer.close()
    assert read(writer.path) == ([big, big], [])


def test_disk_stays_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that could not be closed says so to its reader, and closing it again does nothing."""
    writer = SegmentWriter(tmp_path, "load-1", "monotonic")
    monkeypatch.setattr(os, "write", Disk(0, 1).write)
    writer.write(HOME)
    with pytest.raises(LedgerError):
        writer.close()
    writer.close()
    assert read(writer.path) == ([], ["segment load-1 was never closed"])


LIMITED = """
import signal, sys
from pathlib import Path
from harness.ledger import LedgerError, SegmentWriter
from harness.records import Issued
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = SegmentWriter(Path(sys.argv[1]), "load-1", "monotonic")
try:
    for count in range(1000):
        writer.write(Issued(count=count))
        writer.flush()
except LedgerError as error:
    print(error)
"""


def test_file_size_limit(tmp_path: Path) -> None:
    """Where the system really takes no more the writer says which segment cannot be written."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=True,
    )
    path = segment_path(tmp_path, "load-1")
    assert done.stdout == f"cannot write the ledger segment {path}: File too large\n"
    records, faults = read(path)
    assert records == [Issued(count=count) for count in range(len(records))]
    assert "segment load-1 was never closed" in faults


def test_batches(tmp_path: Path) -> None:
    """Nothing but the header is on the disk before a flush, unless the batch has grown large."""
    writer = SegmentWriter(tmp_path, "load-1", "monotonic")
    writer.write(HOME)
    assert len(lines(writer.path)) == 1
    writer.flush()
    assert len(lines(writer.path)) == 2
    for count in range(5000):
        writer.write(Issued(count=count))
    assert len(lines(writer.path)) > 1000
    writer.close()


def test_close_twice(tmp_path: Path) -> None:
    """Closing again changes nothing."""
    writer = SegmentWriter(tmp_path, "load-1", "monotonic")
    writer.close()
    writer.close()
    assert read(writer.path) == ([], [])


def test_segment_exists(segment: Path) -> None:
    """A segment is never written over."""
    before = segment.read_bytes()
    with pytest.raises(LedgerError, match="File exists"):
        SegmentWriter(segment.parents[1], "load-1", "monotonic")
    assert segment.read_bytes() == before


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_private(tmp_path: Path) -> None:
    """Directories of a run are 0700 and its files 0600, whatever the umask, for they hold personal data."""
    before = os.umask(0)
    try:
        run = tmp_path / "runs" / "one"
        create_run_directory(run)
        write_segment(run, "load-1", EVERY_KIND)
        write_json(run / RUN_FILE, describe())
        write_segment(tmp_path / "bare", "load-1", EVERY_KIND)
    finally:
        os.umask(before)
    assert {mode(path) for path in (run, run / "segments", run / "incidents", tmp_path / "bare/segments")} == {0o700}
    assert {mode(path) for path in (run / RUN_FILE, segment_path(run, "load-1"))} == {0o600}


def test_existing_run(tmp_path: Path) -> None:
    """A directory that holds a run is refused and left as it is."""
    create_run_directory(tmp_path)
    write_json(tmp_path / RUN_FILE, describe())
    with pytest.raises(LedgerError, match="holds a run already; name another directory with --out"):
        create_run_directory(tmp_path)
    assert read_run(tmp_path) == describe()


def test_existing_directory(tmp_path: Path) -> None:
    """A directory that holds no run can be used."""
    create_run_directory(tmp_path)
    create_run_directory(tmp_path)
    assert (tmp_path / "segments").is_dir()


def test_unusable_directory(tmp_path: Path) -> None:
    """A place where no directory can be is refused with a sentence."""
    (tmp_path / "file").write_text("")
    for directory in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(LedgerError, match=r"cannot write the run directory .*; name another with --out"):
            create_run_directory(directory)
    with pytest.raises(LedgerError, match="cannot write the ledger segment"):
        SegmentWriter(tmp_path / "file", "load-1", "monotonic")


def test_run_description(tmp_path: Path) -> None:
    """run.json comes back as it was, and spells its defaults out: another version may have others."""
    run = describe(criteria=strict(0.1), parameters={"users": 5}, planned_s=2.5, died="gone", faults=("one",))
    write_json(tmp_path / RUN_FILE, run)
    assert read_run(tmp_path) == run
    told = msgspec.json.decode((tmp_path / RUN_FILE).read_bytes())
    assert told["schema"] == 1
    assert told["criteria"] == {"confidence": 0.95, "max_error_share": 0.1}
    assert set(told) == set(run.__struct_fields__)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"profile": 1}', b'{"profile": "\xff"}'])
def test_broken_run_description(tmp_path: Path, content: bytes) -> None:
    """A run.json that is none is refused with a sentence."""
    (tmp_path / RUN_FILE).write_bytes(content)
    with pytest.raises(LedgerError, match="is not what `misissue verify` writes"):
        read_run(tmp_path)


def test_newer_run_description(tmp_path: Path) -> None:
    """A run.json of another schema is refused rather than misread."""
    write_json(tmp_path / RUN_FILE, describe(schema=2))
    with pytest.raises(LedgerError, match="has schema 2; this version reads schema 1"):
        read_run(tmp_path)


def test_no_run_description(tmp_path: Path) -> None:
    """A directory without run.json is no run directory."""
    with pytest.raises(LedgerError, match="is no run directory"):
        read_run(tmp_path)


def test_json_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new file cannot be written the old one stays, whole."""
    path = tmp_path / VERDICT_FILE
    write_json(path, {"verdict": "FAIL"})

    def write_half(path: Path, data: bytes) -> int:
        path.open("wb").close()
        raise OSError(errno.ENOSPC, f"no room for {len(data)} bytes")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(LedgerError, match="cannot write"):
        write_json(path, {"verdict": "PASS"})
    assert msgspec.json.decode(path.read_bytes()) == {"verdict": "FAIL"}
