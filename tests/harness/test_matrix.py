"""What the cells of a necessity matrix say, each by itself and together."""

import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import msgspec
import pytest

import harness.run
from harness.evidence.ledger import VERDICT_FILE
from harness.fingerprint import checksum, sha256
from harness.gate import decide
from harness.matrix import MATRIX_FILE, Cell, Condition, Experiment, Matrix, decide_matrix, run_matrix
from harness.records import Application, Change, Document, Group, Print, PrintEvent
from harness.report.language import ENGLISH, JAPANESE, Language
from harness.report.matrix import print_matrix, print_progress
from harness.target import Request, TargetError
from tests.harness.builders import KIND, paper, sync_run
from tests.harness.stub import StubTarget

WANTED = 30


def _cell(*, expected: bool, misissuances: int, n: int = WANTED, complaint: str = "") -> Cell:
    return Cell(
        conditions={"v2": expected},
        prints_at_once=2,
        expected=expected,
        prints=2 * n,
        unit="exposure",
        n=n,
        misissuances=misissuances,
        events=min(misissuances, n),
        upper=0.1,
        complaint=complaint,
        directory="cell",
    )


@pytest.mark.parametrize(
    ("there", "elsewhere", "code"),
    [
        (_cell(expected=True, misissuances=30), _cell(expected=False, misissuances=0), 0),
        (_cell(expected=True, misissuances=1), _cell(expected=False, misissuances=1), 1),
        (_cell(expected=True, misissuances=0), _cell(expected=False, misissuances=0), 1),
        (_cell(expected=True, misissuances=0, n=29), _cell(expected=False, misissuances=0), 3),
        (_cell(expected=True, misissuances=9), _cell(expected=False, misissuances=0, n=29), 3),
        (_cell(expected=True, misissuances=9, n=29), _cell(expected=False, misissuances=0), 3),
        (_cell(expected=True, misissuances=9), _cell(expected=False, misissuances=0, complaint="2 undecided"), 3),
        (_cell(expected=True, misissuances=0, complaint="a fault"), _cell(expected=False, misissuances=0), 3),
        (_cell(expected=True, misissuances=9), _cell(expected=False, misissuances=0, complaint="it died after"), 4),
        (_cell(expected=True, misissuances=9, n=29), _cell(expected=False, misissuances=1, n=2), 1),
    ],
    ids=[
        "exactly as claimed",
        "misissuance where none may be",
        "none where it must be",
        "none where it must be, but hardly tried",
        "clean elsewhere, but hardly tried",
        "found, but hardly tried",
        "clean elsewhere, but with undecided prints",
        "none where it must be, but with a fault",
        "a deployment died",
        "one misissuance refutes, however little was tried",
    ],
)
def test_the_exit_code_follows_from_the_cells(there: Cell, elsewhere: Cell, code: int) -> None:
    """0 exactly as claimed; 1 refuted; 4 a deployment died; 3 any other doubt; 1 before 4 before 3."""
    assert decide_matrix([there, elsewhere], WANTED) == code
    assert decide_matrix([elsewhere, there], WANTED) == code


GROUPS = [Group(group=f"G{number}", persons=(f"P{number}",)) for number in range(5)]


class Desk(StubTarget):
    """A service on loopback whose prints wait for a change, and hand out what lies in the stage then.

    With the build "seed" a change lets whoever waits put his paper over the one that lies there. With the fault
    "unreachable" nobody waits and no change arrives, with "dead" the service tells that it died, too, with "hung" it
    tells that it died and answers no print until it is closed, and with "stuck" it says that no print ever comes to
    where it is wanted.
    """

    shows_points = True
    synchronises = True

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(settings)
        self.told = []
        self._version = dict.fromkeys((group.group for group in GROUPS), 1)
        self._changed = threading.Condition()
        self._present: list[tuple[str, bytes]] = []

    def open(self, directory: Path) -> Mapping[str, object]:
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                _, what, *words = self.path.split("/")
                body = desk._enter() if what == "change" else desk._print(*words)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return super().open(directory)

    def close(self) -> None:
        super().close()
        with self._changed:
            self._let_go()
        self._server.shutdown()
        self._server.server_close()

    def groups(self) -> Sequence[Group]:
        return GROUPS

    def failure(self) -> str:
        is_gone = self.settings["fault"] in {"dead", "hung"} and "await_points" in self.calls
        return "it is gone" if is_gone else ""

    def print_request(self, application: Application) -> Request:
        version = self._version[application.group]
        return Request(url=f"{self._url}/print/{application.nonce}/{application.applicant}/{version}")

    def draw_change(
        self,
        change: str,
        group: Group,
        kinds: Sequence[str],
        random: Random,  # noqa: ARG002 - protocol
    ) -> tuple[Change, Request]:
        self._version[group.group] += 1
        self._pair = group.group, self._version[group.group]
        made = Change(
            change=change, group=group.group, kind=kinds[0], version=self._pair[1], persons=group.persons, sent_ns=0
        )
        url = "http://127.0.0.1:9" if self.settings["fault"] in {"unreachable", "dead"} else self._url
        return made, Request(url=f"{url}/change")

    def expected(self, print_: Print) -> list[Document]:  # noqa: ARG002 - protocol
        return [
            Document(
                persons=group.persons,
                applicants=group.persons,
                group=group.group,
                kind=KIND,
                version=version,
                checksum=checksum(paper(*group.persons, version=version)),
                sha256=sha256(paper(*group.persons, version=version)),
            )
            for group in GROUPS
            for version in range(1, self._version[group.group] + 1)
        ]

    def await_points(self, wanted: Mapping[str, int]) -> None:
        self._call("await_points")
        if self.settings["fault"] == "stuck":
            raise TargetError("no print ever came")
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._present) == sum(wanted.values()), 10)
            if self.settings["fault"] in {"unreachable", "dead"}:
                self._let_go()

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def _print(self, nonce: str, person: str, version: str) -> bytes:
        with self._changed:
            mine = paper(person, version=int(version))
            first = not self._present
            here = self._present
            here.append((nonce, mine))
            self._tell(nonce, "written" if first else "waiting")
            self._changed.notify_all()
            if self.settings["fault"] != "stuck":
                assert self._changed.wait_for(lambda: self._present is not here, 10)
            self._tell(nonce, "read" if first else "staged")
            return here[-1][1] if first and self.settings["build"] == "seed" else mine

    def _enter(self) -> bytes:
        with self._changed:
            now_ns = time.monotonic_ns()
            self.told.append(sync_run(f"S of {self._pair}", now_ns, now_ns, applied=[self._pair]))
            if self.settings["fault"] != "hung":
                self._let_go()
            return b"entered"

    def _let_go(self) -> None:
        self._present = []
        self._changed.notify_all()

    def _tell(self, nonce: str, point: str) -> None:
        self.told.append(PrintEvent(nonce=nonce, point=point, at_ns=time.monotonic_ns(), slot="1"))


def experiment(fault: str = "") -> Experiment:
    """Misissuance only with the build "seed", and where two prints come at once."""
    defect = Condition(name="defect", absent={"build": "fixed"}, present={"build": "seed"})
    return Experiment(
        target="tests.harness.test_matrix:Desk",
        settings={"fault": fault},
        conditions=(defect,),
        together=2,
        change_kinds=("relocate",),
    )


def test_matrix(tmp_path: Path) -> None:
    """Each combination is a judged run of its own, and misissuances are found exactly where all conditions hold."""
    shown: list[Cell] = []
    matrix = run_matrix(experiment(), tmp_path, wanted=3, seed=1, show=shown.append)
    assert msgspec.json.decode((tmp_path / MATRIX_FILE).read_bytes(), type=Matrix) == matrix
    assert (matrix.exit_code, matrix.cells) == (0, tuple(shown))
    told = [
        (Path(cell.directory).name, cell.unit, cell.expected, cell.n, cell.misissuances, cell.events, cell.complaint)
        for cell in matrix.cells
    ]
    assert told == [
        ("no-defect-1", "sync run met", False, 3, 0, 0, ""),
        ("no-defect-2", "exposure", False, 3, 0, 0, ""),
        ("defect-1", "sync run met", False, 3, 0, 0, ""),
        ("defect-2", "exposure", True, 3, 3, 3, ""),
    ]
    assert [cell.prints for cell in matrix.cells] == [3, 6, 3, 6]
    for cell in matrix.cells:
        verdict = decide(Path(cell.directory))
        assert len(verdict.incidents) == cell.misissuances
        assert {process.self_test for process in verdict.processes.values()} == {"caught"}


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            ENGLISH,
            [
                "v2   prints at once  prints   n  misissuances  95 % bound  unit          ",
                "yes  2                   60  30             9       0.100  exposure      ",
                "no   1                   60  30             0       0.100  sync run met  ",
                "no v2, 1 at once: [b]a fault[/b]",
                "the claim is refuted",
                "evidence: runs/matrix.json",
            ],
        ),
        (
            JAPANESE,
            [
                "v2    同時の印刷  印刷   n  誤交付  95 % 上限値  単位                        ",
                "あり  2             60  30       9        0.100  条件成立                    ",
                "なし  1             60  30       0        0.100  印刷と重なった随時連携処理  ",
                "v2 なし、同時 1 件：[b]a fault[/b]",
                "主張は反証された",
                "証拠：runs/matrix.json",
            ],
        ),
    ],
    ids=["en", "ja"],
)
def test_on_the_terminal(capsys: pytest.CaptureFixture[str], language: Language, lines: list[str]) -> None:
    """All cells stand in one table, with their complaints and the result below it."""
    alone = _cell(expected=False, misissuances=0, complaint="[b]a fault[/b]")
    alone = msgspec.structs.replace(alone, prints_at_once=1, unit="sync run met")
    cells = (_cell(expected=True, misissuances=9), alone)
    print_matrix(Matrix(exit_code=1, wanted=WANTED, seed=1, cells=cells), Path("runs"), language)
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (ENGLISH, "no v2, 2 at once: 4 misissuances in 30 × exposure\n"),
        (JAPANESE, "v2 なし、同時 2 件：条件成立 30 回のうち誤交付 4 件\n"),
    ],
)
def test_progress(capsys: pytest.CaptureFixture[str], language: Language, line: str) -> None:
    """A cell that is done is one line on stderr."""
    print_progress(_cell(expected=False, misissuances=4), language)
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("exit_code", [0, 1, 3, 4])
def test_every_result_has_its_sentence(capsys: pytest.CaptureFixture[str], exit_code: int) -> None:
    """Whatever came of a matrix can be said in both languages."""
    for language in (ENGLISH, JAPANESE):
        cells = (_cell(expected=True, misissuances=9),)
        print_matrix(Matrix(exit_code=exit_code, wanted=WANTED, seed=1, cells=cells), Path("runs"), language)
        assert language.text(f"terminal.matrix_result_{exit_code}") in capsys.readouterr().out


def test_a_target_that_tells_no_points_is_refused(tmp_path: Path) -> None:
    """Where prints cannot be awaited no overlap can be forced: said before anything is started."""
    claim = msgspec.structs.replace(experiment(), target="tests.harness.stub:StubTarget")
    with pytest.raises(TargetError, match=r"^the target tests\.harness\.stub:StubTarget has no await_points, right is"):
        run_matrix(claim, tmp_path, wanted=1, seed=1, show=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_fewer_people_than_a_cell_takes(tmp_path: Path) -> None:
    """A cell with too few groups for its prints and a change beside them ends with a complaint that says so."""
    claim = msgspec.structs.replace(experiment(), together=len(GROUPS))
    matrix = run_matrix(claim, tmp_path, wanted=1, seed=1, show=lambda _: None)
    wrong = "evidence: found 5 groups of people, right are more than the 5 that print at once"
    assert [cell.complaint for cell in matrix.cells] == ["", wrong, "", wrong]
    assert matrix.exit_code == 3


def test_a_cell_whose_target_died_waits_for_no_answer(tmp_path: Path) -> None:
    """Attempts have no time-out, and without a service that died they would be waited for without end."""
    matrix = run_matrix(experiment("hung"), tmp_path, wanted=3, seed=1, show=lambda _: None)
    assert matrix.exit_code == 4
    for cell in matrix.cells:
        assert cell.complaint.startswith("the target died after ")
        (process,) = decide(Path(cell.directory)).processes.values()
        assert (process.issued, process.in_flight_at_stop) == (cell.prints_at_once, cell.prints_at_once)


@pytest.mark.parametrize(
    ("fault", "code", "complaint"),
    [
        ("stuck", 3, "evidence: no print ever came"),
        ("unreachable", 3, "evidence: change C1 was not acknowledged: no answer"),
        ("dead", 4, "the target died after "),
    ],
)
def test_cell_that_goes_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, code: int, complaint: str
) -> None:
    """A service that fails in mid-cell ends the cell with a complaint and a verdict, never with a claim."""
    monkeypatch.setattr(harness.run, "_SYNC_LIMIT_S", 0.01)
    matrix = run_matrix(experiment(fault), tmp_path, wanted=3, seed=1, show=lambda _: None)
    assert matrix.exit_code == code
    for cell in matrix.cells:
        assert cell.complaint.startswith(complaint)
        assert (cell.n, cell.upper) == (0, 1.0)
        assert (Path(cell.directory) / VERDICT_FILE).is_file()
        assert decide(Path(cell.directory)).exit_code == code
