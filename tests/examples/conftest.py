"""Starts a ready example as a process of its own, aims the real commands at it, and reads what both wrote."""

import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec
import pytest

from harness.evidence.ledger import VERDICT_FILE, segments_in
from harness.evidence.segment import SegmentReader
from harness.records import Print
from harness.verdict import EXIT_CODES, Verdict
from targets.municipal.deployment import Server
from tests.e2e.conftest import ROOT, Command
from tests.pages import Reader

EXAMPLES = ROOT / "targets" / "examples"
NOBODY: Mapping[str, Collection[str]] = {}


class Served(msgspec.Struct, frozen=True):
    """A line of a service's own log: whose document it handed to whom."""

    nonce: str
    asked: str
    owner: str
    kind: str


def read_served(log: Path) -> list[Served]:
    """A service's own log."""
    return [msgspec.json.decode(line, type=Served) for line in log.read_bytes().splitlines()]


class Verification:
    """A finished `misissue verify`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def verdict(self) -> Verdict:
        """verdict.json."""
        return msgspec.json.decode((self._directory / VERDICT_FILE).read_bytes(), type=Verdict)

    @cached_property
    def documents(self) -> dict[str, Print]:
        """nonce -> attempt that brought a document; in order of their answers, the self-test's among them."""
        records = [record for path in segments_in(self._directory) for record in SegmentReader(path)]
        found = [record for record in records if isinstance(record, Print) and record.answer == "document"]
        return {print_.nonce: print_ for print_ in sorted(found, key=lambda print_: print_.answered_ns)}

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Those that occurred."""
        return {outcome: number for outcome, number in self.verdict.outcomes.items() if number}

    def check_found(self, served: Sequence[Served], receives_for: Mapping[str, Collection[str]] = NOBODY) -> None:
        """FAIL, and of each document the very owner and kind that the service's own log names.

        Args:
            receives_for: person -> whose documents he may see.
        """
        assert self.verdict.verdict == "FAIL"
        handed_out = {line.nonce: line for line in served if line.nonce in self.documents}
        wrong = {nonce: (line.asked, (line.owner,)) for nonce, line in handed_out.items() if line.asked != line.owner}
        incidents = {one.nonce: one for one in self.verdict.incidents}
        assert {nonce: (one.recipient, one.owners) for nonce, one in incidents.items()} == wrong
        for one in incidents.values():
            permitted = one.owners[0] in receives_for.get(one.recipient, ())
            assert one.outcome == ("misdelivered" if permitted else "wrong_person")
            assert one.delivered_kind == handed_out[one.nonce].kind
        assert self.outcomes["wrong_person"] >= 1
        first = min(incidents.values(), key=lambda one: one.at_ns)
        prints = list(self.documents).index(first.nonce) + 1
        print(f"{len(wrong)} of {len(handed_out)} documents went to somebody else; found with print {prints}")

    def check_clean(self, *, may_fail: bool = False) -> None:
        """PASS, with neither a misissuance nor anything that nobody knows.

        Args:
            may_fail: the service may answer with errors, after which people apply again.
        """
        assert self.verdict.verdict == "PASS"
        assert not self.verdict.incidents
        errors = {"error_retried_ok", "error_final"} if may_fail else set()
        assert set(self.outcomes) <= {"ok", "refused_ok"} | errors
        assert self.verdict.bound.events == 0
        assert self.verdict.exposures == self.verdict.bound.n > 0


class Example:
    """A running example, and a copy of its target.toml that says where it is."""

    def __init__(self, name: str, directory: Path, *options: str) -> None:
        directory.mkdir()
        self._directory = directory
        self._log = directory / "served.jsonl"
        self._commands: list[Command] = []
        self.target = directory / "target.toml"
        self._server = Server(
            f"targets.examples.{name}.service",
            ("--port", "0", "--log", str(self._log), *options),
            {},
            directory / "service.err",
        )
        try:
            self.url = str(self._server.wait_ready()["url"])
            shutil.copy(EXAMPLES / name / "people.csv", directory)
            text = (EXAMPLES / name / "target.toml").read_text(encoding="utf-8")
            text, number = re.subn(r'(?m)^base_url = ".*"$', f'base_url = "{self.url}"', text)
            assert number == 1
            self.target.write_text(text, encoding="utf-8")
        except BaseException:
            self._server.stop()
            raise

    def misissue(self, *arguments: str) -> Command:
        """A command of ours that has ended."""
        command = self._start(*arguments)
        command.wait()
        return command

    def prepare(self) -> None:
        """As the guide says: probe, then calibrate."""
        for name in ("probe", "calibrate"):
            command = self.misissue(name, str(self.target))
            assert command.process.returncode == 0, command.stdout + command.stderr

    def verify(self, *arguments: str, profile: str = "own_service") -> Verification:
        """`misissue verify`, whose exit code has to agree with its verdict."""
        run, command = self.begin(*arguments, profile=profile)
        return self.finish(run, command)

    def begin(self, *arguments: str, profile: str) -> tuple[Path, Command]:
        """The directory and the command of a `misissue verify` that has been started."""
        run = self._directory / f"run-{len(self._commands)}"
        return run, self._start("verify", profile, "--target", str(self.target), "--out", str(run), *arguments)

    def finish(self, run: Path, command: Command) -> Verification:
        """What such a command comes to in the end."""
        command.wait()
        told = command.stdout + command.stderr
        assert command.process.returncode in EXIT_CODES.values(), told
        verification = Verification(run)
        assert command.process.returncode == EXIT_CODES[verification.verdict.verdict], told
        return verification

    def served(self) -> list[Served]:
        """The service's own word on whom it has served so far."""
        return read_served(self._log)

    def stop(self) -> None:
        """End whatever is left."""
        for command in self._commands:
            command.end()
        self._server.stop()

    def _start(self, *arguments: str) -> Command:
        command = Command("harness", *arguments, cwd=self._directory)
        self._commands.append(command)
        return command


class Start:
    """Starts examples for one test."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.examples: list[Example] = []

    def __call__(self, name: str, *options: str) -> Example:
        """Of this name, with these options of its service."""
        directory = self._directory / f"{name}-{len(self.examples)}"
        self.examples.append(Example(name, directory, *options))
        return self.examples[-1]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts examples and stops them."""
    starting = Start(tmp_path)
    yield starting
    for example in starting.examples:
        example.stop()


Read = Callable[[str], Reader]
"""Of the example of this name."""


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    """Who follows a page, and has a checkout of an example."""
    made = Reader(tmp_path)

    def with_checkout(example: str) -> Reader:
        for name in ("people.csv", "target.toml"):
            made.write(f"targets/examples/{example}/{name}", (EXAMPLES / example / name).read_text(encoding="utf-8"))
        return made

    yield with_checkout
    made.stop()
