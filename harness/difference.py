"""Whether two rates can be told apart from chance: Fisher's exact test, two-sided, without scipy. Pure.

Exact because misissuances are few: what approximates the counts by a normal distribution is wrong where it matters.
Comparing whether two bounds overlap would be exact as well, but would call differences chance that are none.
"""

import math

_ALIKE = 1e-9
"""Tables whose chances differ by less, as a share, count as equally likely: so much may get lost in the logarithms."""


def fisher_exact(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """The chance of a difference as unlikely as this one, or more so, when both rates are the same.

    Both margins are held fixed: of all `events_a + events_b` events, how many fall on A is hypergeometric. Agrees with
    scipy.stats.fisher_exact to a relative 1e-9. Source: Fisher, J. Royal Statistical Society 98 (1935).

    Raises:
        ValueError: when the events are not within 0..n.
    """
    for events, n in ((events_a, n_a), (events_b, n_b)):
        if not 0 <= events <= n:
            raise ValueError(f"{events} events in {n} exposures: events must be at least 0 and at most the exposures.")
    events = events_a + events_b
    least, most = max(0, events - n_b), min(events, n_a)
    # Logarithms of the chances, in units of that of the first table, each from its neighbour.
    chances = [0.0]
    for on_a in range(least, most):
        ratio = (events - on_a) * (n_a - on_a) / ((on_a + 1) * (n_b - events + on_a + 1))
        chances.append(chances[-1] + math.log(ratio))
    highest, observed = max(chances), chances[events_a - least] + _ALIKE
    as_unlikely = math.fsum(math.exp(chance - highest) for chance in chances if chance <= observed)
    return min(1.0, as_unlikely / math.fsum(math.exp(chance - highest) for chance in chances))
