"""Places: where a capital or a seat of government is no party, but where something happens."""

from __future__ import annotations

import re

from detente.typography import CAPITALS

# An agency or a date tells a dateline in either case from a headline such as "Iran - US: No deal".
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DAY = rf"(?:{_MONTH} \d{{1,2}}|\d{{1,2}} {_MONTH})(?:,? \d{{4}})?"
_AGENCY = r"\([A-Z][^)\n]{1,30}\)"
_NAMES = rf"[{CAPITALS}][\w.'’-]*(?:(?:, | |/)[{CAPITALS}][\w.'’-]*){{0,5}}"
_TOLD = rf"[ \t]*{_NAMES},? (?:{_AGENCY}|{_DAY}(?: {_AGENCY})?) ?(?:--|[-–—]) "
# In capitals a dash is enough before a sentence.
_LOUD = (
    rf"[{CAPITALS}][{CAPITALS} .'’-]{{2,40}}\b(?:,[^—–]{{1,40}}?)?(?: \([^()]{{1,30}}\))? ?"
    r"(?:—|–|--| - )\s*"
    rf"(?=[\"“‘'{CAPITALS}])"
)
_DATELINE = re.compile(rf"(?m)^{_TOLD}")
_OPENING = re.compile(rf"{_LOUD}|{_TOLD}")
_IN = re.compile(
    r"\b(?:in|at|to|from|near|outside|around|via|into|towards?)(?: central| downtown| nearby)? $",
    re.IGNORECASE,
)
_AT = re.compile(r"\b(?:in|at|near|outside|inside)(?: the)? $", re.IGNORECASE)
_PLACE_OF = re.compile(
    r"\b(?:city|mayor|university|bishop|archbishop|streets?|port|suburbs?|outskirts|residents|people"
    r"|battle|siege|fall|treaty|school|map|north|south|east|west) of $",
    re.IGNORECASE,
)
# "officials in Moscow", "a letter to Moscow", "it is up to Moscow": the government is meant.
_SPEAKERS = re.compile(
    r"\b(?:officials?|diplomats?|leaders?|leadership|government|authorities|policymakers|ministers?"
    r"|lawmakers|negotiators?|regime|administration|rulers|generals) (?:in|at|from)(?: the)? $",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    r"\b(?:offers?|offered|proposals?|proposed|letters?|messages?|signals?|notes?|warnings?|appeals?"
    r"|appealed|calls?|called|demands?|requests?|ultimatum|concessions?|conceded|assurances?"
    r"|guarantees?|pledges?|promises?|promised|commitments?|response|responded|repl(?:y|ied)|answers?"
    r"|answered|objections?|opposition|support|help|aid|loans?|pressure|criticism|protests?|word"
    r"|statements?|approval|permission|invitation|rebuke|silence|gesture|reparations|compensation"
    r"|acceptable|unacceptable|important|according|up|gave|given|giv(?:e|ing)|said|say|says|spoke|speak"
    r"|talk(?:ed|ing)?|listen(?:ed)?|yield(?:ed)?|bow(?:ed)?|due|owed|belongs?|handed|submitted"
    r"|conveyed|delivered|presented|sold|loyal|hostile|sought|wants?|wanted|expects?|expected|receive[sd]?"
    r"|differs?|distanced?) (?:to|from) $",
    re.IGNORECASE,
)
_OF_A_PLACE = re.compile(
    r"-based\b|(?: [a-z]+)? (?:talks?|summits?|conventions?|conferences?|agreements?|accords?"
    r"|airports?|round|meetings?|treaty|protocol|declaration|memorandum|process|negotiations|principles"
    r"|embassy|hotels?|courts?|markets?|stock exchange|bureau|office|streets?|suburbs?)\b",
    re.IGNORECASE,
)
_A = re.compile(r"\b[Aa]n? $")
_STATEMENT = re.compile(
    r" (?:official|spokes|envoy|diplomat|minister|government|delegation|negotiat|proposal|offer"
    r"|plan|demand|statement|decision|concession|veto|initiative)"
)
_LOCATED = re.compile(r"\b(?:in|at|from|near|to|of|on|outside) $")


def find_datelines(text: str) -> list[tuple[int, int]]:
    """Return the extents of datelines with an agency or a date: "Vienna (Reuters) -"."""
    return [match.span() for match in _DATELINE.finditer(text)]


def skip_dateline(flat: str, start: int, end: int) -> int:
    """Return where a paragraph begins behind its dateline: "GENEVA -", "Vienna (Reuters) -"."""
    dateline = _OPENING.match(flat, start, end)
    return dateline.end() if dateline is not None and dateline.end() < end else start


def is_located(flat: str, start: int) -> bool:
    """Whether "in" or the like stands before a name, as before a place."""
    return bool(_LOCATED.search(flat, max(0, start - 9), start))


def is_place(flat: str, start: int, end: int, kind: str) -> bool:
    """Whether a capital or a seat of government is only where something is or happens.

    It is before "talks", "agreement", "airport" and the like, after "a" ("a London firm"), and
    after "in", "at", "to", "from" and "near", unless who is there or what passes between shows the
    government to be meant: "officials in Moscow", "a letter to Moscow", "in Moscow's view".

    Args:
        flat: the text on one line.
        start: of the name.
        end: of the name.
        kind: "city" or "seat"; any other name is no place.
    """
    if not kind:
        return False
    before = flat[max(0, start - 40) : start]
    if kind == "seat":
        return bool(_AT.search(before)) and not _SPEAKERS.search(before)
    if flat.startswith(("'s", "’s", "'S", "’S"), end):
        return False
    if before[-1:] not in ("-", "–", "/") and _OF_A_PLACE.match(flat, end):
        return True
    if _PLACE_OF.search(before) or (_A.search(before) and not _STATEMENT.match(flat, end)):
        return True
    named = _SPEAKERS.search(before) or _ADDRESSED.search(before)
    return bool(_IN.search(before)) and not named
