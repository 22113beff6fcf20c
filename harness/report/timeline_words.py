"""A timeline in words. Pure."""

from harness.incident import Incident
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.sentences import asked_for, handed_out, owners_of
from harness.report.timeline import Step, Timeline

_OF_THE_SERVICE = {"points", "sync_runs", "notices"}
_SAID = {"error", "code"}
"""Values in the service's own words, which may name somebody."""


def title_of(timeline: Timeline, language: Language, masking: Masking) -> str:
    """What the timeline shows."""
    person = masking.person(timeline.a.person)
    if timeline.b is None:
        return language.text("timeline.title_alone", person=person)
    key = "title_together" if timeline.overwritten_ns is None else "title"
    return language.text(f"timeline.{key}", person=person, other=masking.person(timeline.b.person))


def step_text(step: Step, timeline: Timeline, incident: Incident, language: Language, masking: Masking) -> str:
    """What happened."""
    party = timeline.b if step.who == "b" and timeline.b is not None else timeline.a
    return language.text(
        f"timeline.{step.what}",
        **{name: masking.text(value) if name in _SAID else value for name, value in step.values.items()},
        letter=step.who.upper(),
        other_letter="A" if step.who == "b" else "B",
        person=masking.person(party.person),
        asked=asked_for(party, language),
        got=handed_out(incident, language),
        owners=owners_of(incident, language, masking),
        outcome=language.text(f"common.outcome_{incident.outcome}"),
    )


def source_text(step: Step, language: Language) -> str:
    """On whose record it is."""
    if step.source in _OF_THE_SERVICE:
        return language.text(f"timeline.source_{step.source}")
    return language.text("timeline.source_load", segment=step.source)
