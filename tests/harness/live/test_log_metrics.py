"""What the lines of a log tell is counted, and what they do not tell is absent."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from harness.evidence.ledger import LedgerError
from harness.live.log_metrics import LOG_FAMILIES, Log
from harness.records import ErrorNotice, Evidence, PrintEvent, Record
from tests.harness.builders import (
    EVERY_KIND,
    INNOCENT,
    LOAD,
    TARGET,
    delivery,
    ended,
    failed,
    paper,
    planted,
    sync_run,
    write_segment,
)
from tests.scraping import Scrape

ONLY_OF_THE_LOG = {"misissue_log_lines_total", "misissue_log_restarts_total"}


def scrape(log: Log) -> Scrape:
    """What is shown after one more look."""
    assert log.update() == 0
    registry = CollectorRegistry()
    registry.register(log)
    return Scrape(generate_latest(registry).decode())


def look(path: Path) -> Scrape:
    """What is shown of a log."""
    with closing(Log(path)) as log:
        return scrape(log)


def write(path: Path, records: Iterable[Record]) -> Path:
    """Add lines."""
    with path.open("ab") as file:
        file.writelines(msgspec.json.encode(record) + b"\n" for record in records)
    return path


def test_segment_of_a_load_process(tmp_path: Path) -> None:
    """A load segment tells of attempts and their latencies; the planted print is none, and nothing is judged."""
    wrong = delivery("A3", "A", paper("X"), at=(0, 30_000_000))
    slow = msgspec.structs.replace(ended("unanswered", "A4", "A", at=(5, 2_000_000_005)), intended_ns=0)
    records = [*INNOCENT, wrong, slow, failed("A5", "A"), *planted("A", paper("X"))]
    scraped = look(write_segment(tmp_path, LOAD, records, issued=7))
    assert scraped.value("misissue_attempts_issued_total", run="load-1.jsonl", target="") == 7
    assert scraped.value("misissue_may_have_printed_total") == 1
    latency = scraped.by("misissue_print_latency_seconds_bucket", "le")
    assert (latency["0.005"], latency["0.025"], latency["0.05"], latency["1.0"]) == (2, 2, 3, 3)
    assert (latency["2.5"], latency["+Inf"]) == (4, 4)
    assert scraped.value("misissue_print_latency_seconds_sum") == pytest.approx(2.0300002)
    assert scraped.by("misissue_log_lines_total", "record") == {
        "header": 1,
        "group": 2,
        "document": 2,
        "print": 6,
        "self_test": 1,
        "batch": 1,
        "footer": 1,
    }
    told = {"misissue_attempts_issued_total", "misissue_may_have_printed_total"}
    names = {name for name in scraped.names if not name.startswith("misissue_print_latency_seconds_")}
    assert names == told | ONLY_OF_THE_LOG


def test_segment_of_the_target(tmp_path: Path) -> None:
    """The target's segment tells of events, error notices and complete sync runs, and of no attempt."""
    never_told = msgspec.structs.replace(sync_run("S2"), acknowledged_ns=None)
    events = [
        PrintEvent(nonce=nonce, point=point, at_ns=5, slot="1") for nonce in "AB" for point in ("waiting", "read")
    ]
    notices = [ErrorNotice(nonce="A", code=code, at_ns=7) for code in ("timeout", "image_missing", "timeout")]
    records: list[Evidence] = [sync_run(), never_told, *events, *notices]
    records.append(PrintEvent(nonce="C", point="waiting", at_ns=9))
    scraped = look(write_segment(tmp_path, TARGET, records))
    assert scraped.by("misissue_log_events_total", "point") == {"waiting": 3, "read": 2}
    assert scraped.by("misissue_log_error_notices_total", "code") == {"timeout": 2, "image_missing": 1}
    assert scraped.value("misissue_error_notices_total") == 3
    assert scraped.value("misissue_sync_runs_total") == 1
    told = {"misissue_log_events_total", "misissue_log_error_notices_total"}
    assert scraped.names == told | ONLY_OF_THE_LOG | {"misissue_error_notices_total", "misissue_sync_runs_total"}


def test_event_logs_of_a_service(tmp_path: Path) -> None:
    """The lines of a service's own event log tell of points, and a sync run is over when it was acknowledged."""
    path = tmp_path / "sync-agent.jsonl"
    points = ("sync.begin", "sync.applied", "sync.released", "sync.acknowledged", "sync.begin")
    path.write_bytes(
        b"".join(
            msgspec.json.encode({"subject": f"S{number // 4}", "point": point, "at_ns": number, "applied": [["H1", 2]]})
            + b"\n"
            for number, point in enumerate(points)
        )
    )
    scraped = look(path)
    assert scraped.by("misissue_log_events_total", "point") == {
        "sync.begin": 2,
        "sync.applied": 1,
        "sync.released": 1,
        "sync.acknowledged": 1,
    }
    assert scraped.by("misissue_log_lines_total", "record") == {"event": 5}
    assert scraped.value("misissue_sync_runs_total") == 1
    assert "misissue_error_notices_total" not in scraped.names


def test_it_grows_and_is_rotated(tmp_path: Path) -> None:
    """Counters go on when the file is rotated or truncated, and that is told; attempts of both segments add up."""
    path = write_segment(tmp_path, LOAD, INNOCENT, issued=4)
    with closing(Log(path)) as log:
        assert scrape(log).value("misissue_attempts_issued_total") == 4
        write(path, [failed("A9", "A")])
        assert scrape(log).by("misissue_log_lines_total", "record")["print"] == 3
        path.unlink()
        write_segment(tmp_path, LOAD, INNOCENT, issued=3)
        scraped = scrape(log)
        assert scraped.value("misissue_attempts_issued_total") == 7
        assert scraped.by("misissue_log_lines_total", "record")["print"] == 5
        assert scraped.value("misissue_log_restarts_total") == 1
        path.write_bytes(b"")
        assert scrape(log).value("misissue_log_restarts_total") == 2


def test_every_kind_of_record_is_known(tmp_path: Path) -> None:
    """Whatever a ledger holds is a line by its kind; anything else is counted as unreadable."""
    path = write_segment(tmp_path, LOAD, EVERY_KIND)
    kinds = {str(type(record).__struct_config__.tag) for record in EVERY_KIND} | {"header", "footer", "batch"}
    assert set(look(path).by("misissue_log_lines_total", "record")) == kinds
    with path.open("ab") as file:
        file.write(b'what?\n{"type":"print"}\n\xff\n')
    assert look(path).by("misissue_log_lines_total", "record")["unreadable"] == 3


def test_labels_stay_few(tmp_path: Path) -> None:
    """A log in which every code is another does not swamp whoever scrapes."""
    notices = [ErrorNotice(nonce="A", code=f"E{number}", at_ns=1) for number in range(150)]
    codes = look(write(tmp_path / "log", notices)).by("misissue_log_error_notices_total", "code")
    assert (len(codes), codes["other"], sum(codes.values())) == (101, 50, 150)


@pytest.mark.parametrize("content", [b"", b'{"type":"notice","nonce":"A","code":"timeout","at_ns":1'])
def test_a_log_that_has_just_begun(tmp_path: Path, content: bytes) -> None:
    """A file without a whole line may become a log."""
    path = tmp_path / "log"
    path.write_bytes(content)
    assert look(path).names == {"misissue_log_restarts_total"}


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    """A file of other lines is named in one sentence that says what would be right."""
    path = tmp_path / "notes.txt"
    path.write_text("one\ntwo\n")
    with pytest.raises(LedgerError, match=r"notes\.txt holds no line of a ledger or of an event log; name a run"):
        Log(path)
    with pytest.raises(LedgerError, match="nowhere cannot be read: No such file"):
        Log(tmp_path / "nowhere")


def test_nothing_else_is_shown(tmp_path: Path) -> None:
    """All families that a log can have are told when it has everything."""
    path = write_segment(tmp_path, LOAD, EVERY_KIND)
    names = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in look(path).names}
    assert names == {family.name for family in LOG_FAMILIES}
