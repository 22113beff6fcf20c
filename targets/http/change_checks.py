"""What can be wrong with the changes and sync runs of a description, beyond the form of their tables. Pure."""

from collections.abc import Collection, Iterator

from targets.http.change_models import SyncFromChanges, SyncFromEndpoint, SyncFromSql
from targets.http.models import Description
from targets.http.people import People
from targets.http.placeholders import PlaceholderError, check, names_of
from targets.http.tables import RequestTable

Place = tuple[str | int, ...]
_OF_CHANGE = frozenset({"person", "group", "change"})
_VALUE = "value"


def change_requests(described: Description, people: People) -> Iterator[tuple[Place, RequestTable, Collection[str]]]:
    """Place in the file, request and the placeholders that it may hold, of every request about changes."""
    secrets = {f"secret:{name}" for name in described.secrets}
    of_person = _OF_CHANGE | secrets | people.columns
    for name, table in described.changes.items():
        place: Place = "changes", name
        known = of_person | {_VALUE, *(f"{_VALUE}:{one}" for one in table.values)}
        yield place, table, known
        asked = table.acknowledged
        if asked is not None and (asked.path is not None or asked.headers is not None):
            question = RequestTable(method="GET", path=asked.path or "/", headers=asked.headers or {})
            yield (*place, "acknowledged"), question, known
    if isinstance(described.sync, SyncFromEndpoint):
        question = RequestTable(method="GET", path=described.sync.path, headers=described.sync.headers)
        yield ("sync",), question, secrets


def change_complaints(described: Description, people: People) -> Iterator[tuple[Place, str]]:
    """(key, sentence) for everything that is wrong with them."""
    for name, table in described.changes.items():
        of_request = {name for _, text in table.texts() for name in names_of(text)}
        if not {"person", "group", *people.columns} & of_request:
            yield ("changes", name), "lacks {person} or a column of the people; right is to say whose data is changed"
        if not any(one == _VALUE or one.startswith(f"{_VALUE}:") for one in of_request):
            yield ("changes", name), "lacks {value}; right is to send what is new, else the change alters nothing"
    if described.changes and not people.changeable:
        text = (
            "nobody can be changed, because everybody of a group also applies by another one; right is a group whose "
            "people apply by it alone"
        )
        yield ("changes", next(iter(described.changes))), text
    if isinstance(described.sync, SyncFromChanges) and not described.changes:
        yield ("sync", "from"), 'found "changes", but no change is described; right is a table [changes.NAME]'
    if isinstance(described.sync, SyncFromSql):
        secrets = {f"secret:{name}" for name in described.secrets}
        try:
            used = check(described.sync.dsn, secrets)
        except PlaceholderError as error:
            yield ("sync", "dsn"), str(error)
        else:
            if not used:
                yield ("sync", "dsn"), "found no secret, right is such as {secret:DSN}, with DSN in [secrets]"
