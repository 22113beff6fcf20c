"""What the processes of the deployment tell of themselves, as records of the harness, each of them once."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from harness.records import ErrorNotice, PrintEvent, SyncRun
from targets.growing_log import GrowingLog
from targets.municipal.deployment import NOTICE_LOG, Deployment
from targets.municipal.points import PointReached, decode_point


class EventLogs:
    """The event logs of a deployment, each read to where it was asked for last."""

    def __init__(self, deployment: Deployment) -> None:
        self._sync_agent = GrowingLog(deployment.event_log("sync-agent"), decode_point)
        self._ap_server = GrowingLog(deployment.event_log("ap-server"), decode_point)
        self._center = GrowingLog(deployment.event_log(NOTICE_LOG), msgspec.json.Decoder(ErrorNotice).decode)
        self._under_way: dict[str, list[PointReached]] = {}  # sync runs that have begun and are not acknowledged yet

    def new_sync_runs(self, *, rest: bool) -> Iterator[SyncRun]:
        """Those that were acknowledged since; with `rest` all others, too."""
        for reached in self._sync_agent.new():
            self._under_way.setdefault(reached.subject, []).append(reached)
            if reached.point == "sync.acknowledged":
                yield _sync_run(self._under_way.pop(reached.subject))
        while rest and self._under_way:
            yield _sync_run(self._under_way.pop(next(iter(self._under_way))))

    def new_print_events(self) -> Iterator[PrintEvent]:
        """The points that prints reached in the AP server."""
        for reached in self._ap_server.new():
            yield PrintEvent(nonce=reached.subject, point=reached.point, at_ns=reached.at_ns, slot=reached.slot)

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        """Those that the center raised."""
        return self._center.new()


def _sync_run(points: Sequence[PointReached]) -> SyncRun:
    """The sync run that reached these."""
    at_ns = {reached.point: reached.at_ns for reached in points}
    applied_ns, released_ns = at_ns.get("sync.applied"), at_ns.get("sync.released")
    return SyncRun(
        sync_run=points[0].subject,
        applied=points[0].applied,
        begin_ns=at_ns["sync.begin"],
        applied_ns=applied_ns,
        released_ns=released_ns,
        acknowledged_ns=at_ns.get("sync.acknowledged"),
        # The run is over, as far as prints can feel it, when it has released; method v1 has nothing to release.
        end_ns=released_ns if released_ns is not None else applied_ns,
    )
