"""The outcome of one print: exactly one of sixteen, the worst that holds.

The order is the precedence, worst first. `UNDECIDED` stands above everything that is no misissue, so that what is
unknown can never become clean. The Japanese terms are those of the field; docs/domain.md defines each.
"""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one application, all its attempts taken together."""

    WRONG_PERSON = "wrong_person"  # 誤交付 (別人の証明書)
    MIXED = "mixed"  # 混在交付
    OVER_DISCLOSED = "over_disclosed"  # 記載過多
    SHOULD_REFUSE = "should_refuse"  # 発行対象外の誤発行
    STALE = "stale"  # 旧情報の交付
    WRONG_KIND = "wrong_kind"  # 証明書種別違い
    TORN = "torn"  # 欠損・破損
    DUPLICATE = "duplicate"  # 二重交付
    MISDELIVERED = "misdelivered"  # 配送先誤り
    LOST = "lost"  # 未交付
    UNDECIDED = "undecided"  # 判定不能
    ERROR_FINAL = "error_final"  # 発行エラー
    ERROR_RETRIED_OK = "error_retried_ok"  # エラー後再申請・正常終了
    REFUSED_OK = "refused_ok"  # 正当な発行拒否
    REFUSED_WRONG = "refused_wrong"  # 誤拒否
    OK = "ok"  # 正常交付

    @property
    def is_misissue(self) -> bool:
        """True for every outcome that a verdict must call FAIL."""
        return _RANK[self] < _RANK[Outcome.UNDECIDED]


_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}

STRANGER_OUTCOMES = frozenset({Outcome.WRONG_PERSON, Outcome.MIXED})
"""Outcomes in which somebody's data reached a person who may not see it."""


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that ranks highest.

    Raises:
        ValueError: when there is none.
    """
    return min(outcomes, key=_RANK.__getitem__)


def combine(attempts: Iterable[tuple[Outcome, bool]]) -> Outcome:
    """The outcome of an application from its attempts, in the order in which they were made.

    An attempt that ended in an error is `ERROR_FINAL` by itself; followed by the right document it is
    `ERROR_RETRIED_OK`, never `OK`: who else was in flight at the time of the error has to be looked at. So is one that
    brought nothing at all: what a later attempt hands out is not lost. Nobody applies again who holds a document, so
    a second one is a duplicate.

    Args:
        attempts: the outcome of each, and whether a document was handed out.

    Raises:
        ValueError: when there was no attempt.
    """
    ends = list(attempts)
    documents = sum(handed_out for _, handed_out in ends)
    made = [Outcome.ERROR_FINAL if outcome is Outcome.LOST and documents else outcome for outcome, _ in ends]
    if made[-1:] == [Outcome.OK] and Outcome.ERROR_FINAL in made:
        made = [Outcome.ERROR_RETRIED_OK if outcome is Outcome.ERROR_FINAL else outcome for outcome in made]
    return worst([*made, Outcome.DUPLICATE] if documents > 1 else made)
