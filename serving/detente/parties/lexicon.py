"""Words that carry a capital for what they are, whoever is named."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


CALENDAR = word_set(
    """January February March April May June July August September October November December
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday Jan Feb Aug Sept Oct Nov Dec"""
)
TITLES = word_set(
    """President Prime Minister Premier Chancellor King Queen Prince Princess Emir Sheikh Sultan
    Ambassador Envoy Secretary Governor Mayor Senator Chairman Chairwoman Chief Executive Director
    General Colonel Captain Major Lieutenant Admiral Commander Marshal Sergeant Spokesman Vice
    Spokeswoman Mr Mrs Ms Miss Dr Prof Sir Dame Lord Lady Sister Brother Father Judge Justice
    Deputy Representative Professor Negotiator Commissioner"""
)
OFFICES = TITLES | word_set(
    """Foreign Finance Defense Defence Interior Trade Energy Health Labour Labor Transport Justice
    Agriculture Environment Industry Economy Education Water Irrigation Home Commerce Government
    Ministry Parliament Cabinet Army Navy Embassy Delegation Officials Treasury Senate
    Negotiators"""
)
# Words that open sentences with a capital and belong to no name.
OPENERS = CALENDAR | word_set(
    """The A An And But Or Nor So Yet If When While After Before Since Until Unless Although Though
    Because As At By For From In Into Of On Over To Under With Without Within Between Among Against
    About During Despite Both Either Neither Each Every All Any Some Many Most Few Several No Not
    Only Even Also Then Now Later Earlier Yesterday Today Tomorrow Tonight Meanwhile However Still
    Once Here There This That These Those It Its He His She Her They Their We Our I You Your My Who
    What Where Why How Which Whether Last Next Two Three Four Five Six Seven Eight Nine Ten One
    First Second Third Striking Senior Former Old Other Another Such Same Asked Told Speaking Like
    Unlike Per Instead Perhaps Maybe Yes Let Can Could Will Would Should May Might Must Is Are Was
    Were Do Does Did Has Have Had Outside Inside Across Around Behind Beyond Through Throughout
    Towards Toward Upon Via Q"""
)
COMMON = (
    OPENERS
    | OFFICES
    | word_set(
        """North South East West Northern Southern Eastern Western Central National United World
        International Royal Federal General Global Great Free State Public American European African
        Asian Common House Supreme High Security People's Workers Bank River Valley New"""
    )
)
DIRECTIONS = word_set("North South East West New Upper Lower Saint San Port")
