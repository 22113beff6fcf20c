"""Applications that a locustfile names itself: who applies by which group, and what there is to apply for. Pure."""

from collections.abc import Sequence

from harness.target import Enumerated, Target


class NamedError(Exception):
    """Raised when an application is named that nobody could judge; says what was found and what would be right."""


class Named:
    """What may be named; everything, as far as the target does not tell what there is."""

    def __init__(self, target: Target) -> None:
        self._name = target.name
        self._kinds = target.kinds() if isinstance(target, Enumerated) else None
        self._group_of: dict[str, str] = {}
        for group in target.groups():
            applicants = target.applicants(group) if isinstance(target, Enumerated) else group.persons
            self._group_of.update(dict.fromkeys(applicants, group.group))

    def group_of(self, applicant: str) -> str:
        """By which the person applies.

        Raises:
            NamedError: when nobody is called so.
        """
        try:
            return self._group_of[applicant]
        except KeyError:
            some = ", ".join(list(self._group_of)[:3])
            message = f"found the applicant {applicant!r}, right is a test person of {self._name}, such as {some}"
            raise NamedError(message) from None

    def check(self, kind: str, options: Sequence[str]) -> tuple[str, ...]:
        """The options as the target has them, each once and in its order, for by that its documents are known.

        Raises:
            NamedError: when there is no such document.
        """
        if self._kinds is None:
            return tuple(options)
        if kind not in self._kinds:
            message = f"found the kind {kind!r}, right is one of {self._name}: {', '.join(self._kinds)}"
            raise NamedError(message)
        unknown = [option for option in options if option not in self._kinds[kind]]
        if unknown:
            right = ", ".join(self._kinds[kind]) or "none"
            message = f"found the option {unknown[0]!r} of {kind}, right is {right}"
            raise NamedError(message)
        return tuple(option for option in self._kinds[kind] if option in options)
