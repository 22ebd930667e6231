"""Dates as newspapers and databases write them."""

from __future__ import annotations

import datetime
import re
from contextlib import suppress

from detente.errors import InputError

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYTIME = r"(?:[tz\s,+].{0,40})?"
_NUMBERS = re.compile(rf"(\d{{4}})([-/.])(\d\d?)\2(\d\d?){_DAYTIME}")
_DIGITS = re.compile(rf"(\d{{4}})(\d\d)(\d\d)(?:\d{{6}}|{_DAYTIME})")
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s+)?"
_MONTH = r"([a-z]{3,9})\.?"
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}(\d\d?)(?:st|nd|rd|th)?[\s-]+{_MONTH},?[\s-]+(\d{{4}}){_DAYTIME}"
)
_MONTH_FIRST = re.compile(
    rf"{_WEEKDAY}{_MONTH}\s+(\d\d?)(?:st|nd|rd|th)?"
    rf"(?:,\s*|\s+|\s+\d\d:\d\d:\d\d\s+(?:\S{{1,6}}\s+)?)(\d{{4}}){_DAYTIME}"
)


def check_format(written: str) -> None:
    """Refuse a format that gives no day.

    Raises:
        InputError: `datetime.strptime` cannot read it, or it lacks day, month or year.
    """
    day = datetime.datetime(2003, 9, 29, tzinfo=datetime.timezone.utc)
    try:
        if _read(day.strftime(written), written) == day.date():
            return
    except (ValueError, re.error):  # the latter where a part is given twice
        pass
    raise InputError(
        f"date format {written!r}: gives no day, month and year; write it as '%m/%d/%Y' for "
        "09/29/2003"
    )


def _read(text: str, written: str) -> datetime.date:
    return datetime.datetime.strptime(text, written).date()


def parse_date(value: object, written: str | None = None) -> datetime.date | None:
    """Return the day that ``value`` names, or None where it names none for certain.

    Read are dates and times of Python, ISO 8601 (2003-09-29, 20030929, with or without a time),
    RFC 2822 (Mon, 29 Sep 2003 10:00:00 +0000) and English ones (Sept. 29, 2003; 29 September
    2003). A time and its zone are dropped. Seconds since 1970 are not read. Nor is 9/10/2003, which
    is September in one country and October in another, but by ``written``, a format of
    `datetime.strptime` that goes before all else.
    """
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if written and isinstance(value, str):
        with suppress(ValueError):
            return _read(value.strip()[:100], written)
    with suppress(ValueError):  # 30 February; or a number too long to print
        return _parse(str(value).strip()[:100].lower())
    return None


def _parse(text: str) -> datetime.date | None:
    if match := _NUMBERS.fullmatch(text):
        return datetime.date(int(match[1]), int(match[3]), int(match[4]))
    if match := _DIGITS.fullmatch(text):
        return datetime.date(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_FIRST.fullmatch(text):
        return datetime.date(int(match[3]), _month(match[2]), int(match[1]))
    if match := _MONTH_FIRST.fullmatch(text):
        return datetime.date(int(match[3]), _month(match[1]), int(match[2]))
    return None


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, start=1):
        if month.startswith(name):
            return number
    raise ValueError(f"{name} is no month")
