"""Documents that are new each time, in many ways: what a calibration sees of them, and what comes later."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BASE_36 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
URL_SAFE = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"
NAMES = ("Anna Meier", "Bo Li", "Chris P. Bacon", "山田太郎")


def _era(time: datetime) -> str:
    return f"令和{time.year - 2018}年{time.month}月{time.day}日"


STAMPS: dict[str, Callable[[datetime], str]] = {
    "iso": datetime.isoformat,
    "iso_utc": lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}",
    "iso_space": lambda time: f"{time:%Y-%m-%d %H:%M:%S}",
    "dots": lambda time: f"{time:%d.%m.%Y, %H:%M:%S}",
    "minutes": lambda time: f"{time:%d.%m.%Y %H:%M}",
    "slashes": lambda time: f"{time:%Y/%m/%d %H:%M:%S}",
    "american": lambda time: f"{MONTHS[time.month - 1]} {time.day}, {time.year} {time:%I:%M:%S %p}",
    "english": lambda time: f"{time.day} {MONTHS[time.month - 1]} {time.year}, {time:%H:%M:%S}",
    "http": lambda time: f"{DAYS[time.weekday()]}, {time.day:02} {MONTHS[time.month - 1][:3]} {time:%Y %H:%M:%S} GMT",
    "asctime": lambda time: f"{DAYS[time.weekday()]} {MONTHS[time.month - 1][:3]} {time.day:2} {time:%H:%M:%S %Y}",
    "era": lambda time: f"{_era(time)}{time.hour}時{time.minute}分{time.second}秒",
    "japanese": lambda time: f"{time.year}年{time.month:02}月{time.day:02}日 {time:%H:%M:%S}",
    "compact": lambda time: f"{time:%Y%m%d%H%M%S}",
    "time": lambda time: f"{time:%H:%M:%S}",
    "day": lambda time: f"{time:%d.%m.%Y}",
    "era_day": _era,
    "seconds": lambda time: str(int(time.timestamp())),
    "milliseconds": lambda time: str(int(time.timestamp() * 1000)),
    "float": lambda time: str(time.timestamp()),
}
IDS: dict[str, Callable[[datetime, Random, Iterator[int]], str]] = {
    "uuid": lambda _time, random, _serial: str(UUID(int=random.getrandbits(128), version=4)),
    "hex": lambda _time, random, _serial: f"{random.getrandbits(64):016x}",
    "upper_hex": lambda _time, random, _serial: f"{random.getrandbits(32):08X}",
    "base_36": lambda _time, random, _serial: "".join(random.choices(BASE_36, k=10)),
    "url_safe": lambda _time, random, _serial: "".join(random.choices(URL_SAFE, k=22)),
    "padded": lambda _time, _random, serial: f"{next(serial):06}",
    "serial": lambda _time, _random, serial: f"S-{next(serial)}",
    "prefixed": lambda _time, _random, serial: f"INV{next(serial):08}",
    "of_year": lambda time, _random, serial: f"{time.year}-{next(serial):05}",
    "of_day": lambda time, _random, serial: f"{time:%Y%m%d}-{next(serial):05}",
    "grouped": lambda _time, _random, serial: f"{next(serial):,}",
    "random": lambda _time, random, _serial: str(random.randrange(10**6)),
}
LAYOUTS = {
    "lines": "{stable}Printed at {stamp}\nSerial: {id}\nRequest {nonce}\nEnd of document\n",
    "inline": "{stamp} Receipt no. {id} Request {nonce}\n{stable}",
    "html": "<html><p>{name}</p><td>{born}</td><td>{stamp}</td><td>{id}</td><i>{nonce}</i><b>{person}</b></html>",
}


class Volatile:
    """A service whose documents all carry a time stamp, an id and the nonce.

    Args:
        stamp, id_, layout: keys of the above; first_serial: where its numbers begin; begin: of the calibration.
    """

    persons = 6

    def __init__(self, stamp: str, id_: str, layout: str, first_serial: int, begin: datetime, random: Random) -> None:
        self._stamp, self._id, self._layout = STAMPS[stamp], IDS[id_], LAYOUTS[layout]
        self._random, self._serials = random, count(first_serial)
        self.begin = self.end = begin

    def document(self, person: int, time: datetime, nonce: str) -> str:
        """One that is printed for the person."""
        shown = {"person": f"E{person:03}", "name": NAMES[person % len(NAMES)], "born": self.born(person)}
        stable = "Payslip\nEmployee {person}\nName {name}\nborn {born}\nGross 4,1{person}.00 EUR\n".format_map(shown)
        stamp, id_ = self._stamp(time), self._id(time, self._random, self._serials)
        return self._layout.format_map({**shown, "stable": stable, "stamp": stamp, "id": id_, "nonce": nonce})

    def born(self, person: int) -> str:
        """The day of birth, written as some time stamps are."""
        return f"{person + 2:02}.{person + 3:02}.{1950 + person}"

    def calibration(self, rounds: int) -> list[list[str]]:
        """Of each person the prints."""
        cases: list[list[str]] = [[] for _ in range(self.persons)]
        for round_ in range(rounds):
            self.end = max(self.end, self.begin + timedelta(seconds=1.1 * round_))
            for person, prints in enumerate(cases):
                self.end += timedelta(milliseconds=self._random.randrange(5, 40))
                prints.append(self.document(person, self.end, f"A1795692646-{round_ * self.persons + person + 1}.1"))
        return cases

    def later(self, person: int) -> str:
        """A print of a run: a second, an hour, a day, a month or a year later."""
        longest_s = self._random.choice([60, 3600, 86_400, 40 * 86_400, 400 * 86_400])
        time = self.end + timedelta(seconds=self._random.random() * longest_s)
        share, number = self._random.choice(["", "2-"]), self._random.randrange(1, 100_000)
        return self.document(person, time, f"A{share}{number}.{self._random.randrange(1, 4)}")


def begin(random: Random) -> datetime:
    """Some time of these years, to the microsecond."""
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=random.random() * 10 * 365 * 86_400)
