"""D10: ambient state is not reset.

Incident: GitHub, from 2021-03-02 on users found themselves logged in as somebody else, and on 2021-03-08 everybody was
logged out (github.blog, 2021-03-18). The server kept one object for what belongs to a request and filled it anew for
each, to save its making. A thread that went on after its request still looked into it, and so what belonged to one
user's request came to another's. Unicorn has made a new one for every request since its version 6.0.0 of 2021-03-17.

Here the object that says who is asking is made once, too. Whoever looks into it after another request has begun sees
the other one's user.
"""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def recycled(make: Callable[[], T]) -> Callable[[], T]:
    """In place of `make`, which makes a new object for each request: hands out the same one again and again."""
    the_one = make()
    return lambda: the_one
