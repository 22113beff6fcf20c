"""The target's truth: which certificates are right, from the changes that were sent and from nothing else.

A process of its own beside the deployment. It keeps the residents in memory from the same seed, draws the changes that
the counter will send and applies them by rules of its own, written apart from those of registry and issuer, with which
it shares the message format and the typesetting of certificates, but neither data nor rules.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
from aiohttp import web

from harness.fingerprint import checksum, sha256
from harness.records import Document
from targets.municipal import changes
from targets.municipal.certificates import render
from targets.municipal.forms import ApplicationForm, DocumentQuery, DrawnChange, DrawQuery
from targets.municipal.people import (
    AS_OF,
    Person,
    draw_address,
    draw_newcomer,
    draw_surname,
    population,
    split_name,
)
from targets.municipal.refusals import refusals
from targets.process import OptionParser, run_server, start_site

_RETURN_SHARE = 0.5
_MOST_MEMBERS = 8  # on record; a household must not grow for as long as changes are drawn
_OLD_ENOUGH_FOR_A_SEAL = AS_OF.replace(year=AS_OF.year - 15).isoformat()


class Truth:
    """Every version of every household, and the certificates that follow from them."""

    def __init__(self, seed: int, households: int, issue_date: str) -> None:
        self._issue_date = issue_date
        self._household_of: dict[str, str] = {}
        self._versions: defaultdict[str, dict[int, dict[str, Person]]] = defaultdict(dict)
        self._documents: dict[DocumentQuery, Document] = {}
        for person in population(seed, households):
            self._household_of[person.person] = person.household
            self._versions[person.household].setdefault(1, {})[person.person] = person

    def draw_change(self, query: DrawQuery) -> DrawnChange:
        """Draw a change that fits the household and let it happen here.

        Raises:
            LookupError: when no change of these kinds fits the household as it is.
        """
        newest = max(self._versions[query.household], default=0)
        members = self._versions[query.household].get(newest, {})
        random = Random(query.seed)
        for kind in random.sample(query.kinds, len(query.kinds)):
            change = _draw(kind, query, members, random)
            if change is not None:
                break
        else:
            message = f"none of the changes {', '.join(query.kinds)} fits household {query.household}"
            raise LookupError(message)
        after = _after(change, members, newest + 1)
        self._versions[query.household][newest + 1] = after
        for person in after:
            self._household_of[person] = query.household
        return DrawnChange(change=change, version=newest + 1, persons=tuple(after), refusals=refusals(after.values()))

    def document(self, query: DocumentQuery) -> Document | None:
        """The right certificate, rendered; None when nobody should ever have got one like it."""
        document = self._documents.get(query) or self._render(query)
        if document is not None:  # what does not exist yet may exist after the next change
            self._documents[query] = document
        return document

    def right(self, form: ApplicationForm) -> bytes | None:
        """The certificate that is right for an application by the newest version; None when it has to be refused."""
        versions = self._versions.get(self._household_of.get(form.applicant, ""), {})
        members = versions[max(versions)] if versions else {}
        barred = refusals(members.values())
        if any(one.covers(form.applicant, form.kind, form.options) for one in barred):
            return None
        return self._typeset(form.kind, _shown(members, form.applicant, form.options), form.options)

    def _typeset(self, kind: str, shown: Sequence[Person], options: tuple[str, ...]) -> bytes | None:
        try:
            return render(kind, shown, options, issue_date=self._issue_date)
        except ValueError:  # there is no such certificate
            return None

    def _render(self, query: DocumentQuery) -> Document | None:
        household = self._household_of.get(query.persons[0], "") if query.persons else ""
        members = self._versions.get(household, {}).get(query.version)
        if members is None:
            return None
        shown = _shown(members, query.persons[0], query.options)
        names = tuple(person.person for person in shown)
        barred = refusals(members.values())
        applicants = tuple(
            name for name in names if not any(one.covers(name, query.kind, query.options) for one in barred)
        )
        if names != query.persons or not applicants:
            return None
        image = self._typeset(query.kind, shown, query.options)
        if image is None:
            return None
        return Document(
            persons=names,
            applicants=applicants,
            group=household,
            kind=query.kind,
            options=query.options,
            version=query.version,
            checksum=checksum(image),
            sha256=sha256(image),
        )


def _shown(members: Mapping[str, Person], applicant: str, options: tuple[str, ...]) -> list[Person]:
    """Whose data stand on such a certificate, in the order in which they do."""
    if "household" in options:
        return [members[name] for name in sorted(members) if members[name].status == "resident"]
    return [members[applicant]] if applicant in members else []


def _draw(
    kind: changes.ChangeKind, query: DrawQuery, members: Mapping[str, Person], random: Random
) -> changes.ResidentChange | None:
    """A change of that kind, or None when it does not fit the household."""
    residents = [person for person in members.values() if person.status == "resident"]
    common: dict[str, Any] = {"change": query.change, "household": query.household}
    if kind == "move_in":
        arrival = _draw_arrival(query.household, members, residents, random)
        return changes.MoveIn(**common, persons=(arrival,)) if arrival is not None else None
    if not residents:
        return None
    somebody = random.choice(residents)
    match kind:
        case "relocate":
            return changes.Relocate(**common, address=draw_address(random))
        case "rename":
            surname, kana = draw_surname(random)
            return changes.Rename(
                **common,
                person=somebody.person,
                name=f"{surname}　{split_name(somebody.name)[1]}",
                kana=f"{kana}　{split_name(somebody.kana)[1]}",
            )
        case "household":
            others = [person for person in residents if person.name != person.householder]
            if not others:
                return None
            head = random.choice(others)
            relations = {person.person: "同居人" for person in residents if person.person != head.person}
            return changes.ChangeHouseholder(**common, householder=head.person, relations=relations)
        case "move_out":
            return changes.MoveOut(**common, persons=(somebody.person,))
        case "death":
            # The last one may move out, and back in; a household that has died out would take no change any more.
            return changes.Death(**common, person=somebody.person) if len(residents) > 1 else None
        case "seal_register":
            without = [person for person in residents if person.seal is None and person.birth <= _OLD_ENOUGH_FOR_A_SEAL]
            if not without:
                return None
            seal = f"{random.randrange(10**6):06d}"
            return changes.RegisterSeal(**common, person=random.choice(without).person, seal=seal)
        case "seal_abolish":
            sealed = [person for person in residents if person.seal is not None]
            return changes.AbolishSeal(**common, person=random.choice(sealed).person) if sealed else None
        case "protect":
            return changes.Protect(**common, person=somebody.person, protected=not somebody.protected)


def _draw_arrival(
    household: str, members: Mapping[str, Person], residents: Sequence[Person], random: Random
) -> Person | None:
    """Somebody who was born, moves in, or moves back in, as always where nobody lives any more; None for no room."""
    gone = [person for person in members.values() if person.status == "moved_out"]
    if gone and (not residents or random.random() < _RETURN_SHARE):
        returner = random.choice(gone)
        has_been_succeeded = returner.relation == "世帯主" and returner.name != returner.householder
        relation = "同居人" if has_been_succeeded else returner.relation
        return msgspec.structs.replace(returner, status="resident", relation=relation, resident_since=AS_OF.isoformat())
    if not residents or len(members) >= _MOST_MEMBERS:
        return None
    head = next((person for person in residents if person.name == person.householder), residents[0])
    # Digits like those of all ids, so that every collation sorts them alike; at most one newcomer a version.
    person = f"P{household[1:]}{head.version + 1:04d}"
    return draw_newcomer(random, person, head, taken=[split_name(member.name)[1] for member in members.values()])


def _after(change: changes.ResidentChange, members: Mapping[str, Person], version: int) -> dict[str, Person]:
    """The members after the change, each with the new version: what the law says, not what the issuer does."""
    facts = {name: msgspec.to_builtins(person) | {"version": version} for name, person in members.items()}
    if isinstance(change, changes.Relocate):
        for fact in facts.values():
            fact["address"] = change.address
    elif isinstance(change, changes.Rename):
        old = facts[change.person]["name"]
        facts[change.person] |= {"name": change.name, "kana": change.kana}
        for fact in facts.values():
            fact["householder"] = change.name if fact["householder"] == old else fact["householder"]
    elif isinstance(change, changes.ChangeHouseholder):
        for name, fact in facts.items():
            fact["householder"] = facts[change.householder]["name"]
            fact["relation"] = "世帯主" if name == change.householder else change.relations.get(name, fact["relation"])
    elif isinstance(change, changes.MoveIn):
        for newcomer in change.persons:
            facts[newcomer.person] = msgspec.to_builtins(newcomer) | {"version": version}
    elif isinstance(change, changes.MoveOut):
        for name in change.persons:
            facts[name] |= {"status": "moved_out", "seal": None}
    elif isinstance(change, changes.Death):
        facts[change.person] |= {"status": "dead", "seal": None}
    elif isinstance(change, changes.RegisterSeal | changes.AbolishSeal):
        facts[change.person]["seal"] = getattr(change, "seal", None)
    else:
        facts[change.person]["protected"] = change.protected
    return {name: msgspec.convert(fact, Person) for name, fact in facts.items()}


@asynccontextmanager
async def run_truth(
    *, seed: int, households: int, issue_date: str, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Mapping[str, object]]:
    """Serve while the context lasts; yields host and port."""
    truth = Truth(seed, households, issue_date)

    async def post_change(request: web.Request) -> web.Response:
        try:
            drawn = truth.draw_change(msgspec.json.decode(await request.read(), type=DrawQuery))
        except (ValueError, LookupError) as error:  # the first of msgspec, or for a text that is not UTF-8
            return web.json_response({"error": str(error)}, status=400)
        return web.Response(body=msgspec.json.encode(drawn), content_type="application/json")

    async def post_documents(request: web.Request) -> web.Response:
        try:
            queries = msgspec.json.decode(await request.read(), type=list[DocumentQuery])
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        documents = [document for query in queries if (document := truth.document(query)) is not None]
        return web.Response(body=msgspec.json.encode(documents), content_type="application/json")

    async def post_right(request: web.Request) -> web.Response:
        try:
            image = truth.right(msgspec.json.decode(await request.read(), type=ApplicationForm))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.Response(status=204) if image is None else web.Response(body=image, content_type="application/pdf")

    app = web.Application()
    app.router.add_post("/changes", post_change)
    app.router.add_post("/documents", post_documents)
    app.router.add_post("/right", post_right)
    async with start_site(app, host, port) as actual_port:
        yield {"host": host, "port": actual_port}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m targets.municipal.truth`."""
    parser = OptionParser(prog="truth", description="The right certificates")
    parser.add_argument("--seed", type=int, required=True, help="of the population")
    parser.add_argument("--households", type=int, required=True)
    parser.add_argument("--issue-date", default="2023-04-30")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    options = parser.parse_args(argv)
    return asyncio.run(
        run_server(
            "truth",
            run_truth(
                seed=options.seed,
                households=options.households,
                issue_date=options.issue_date,
                host=options.host,
            ),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
