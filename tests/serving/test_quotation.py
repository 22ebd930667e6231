from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.speech.parser import Parser
from detente.speech.quotation import Quotation, find_quotations
from detente.statements import split_paragraphs

PARSER = Parser()


def find(text: str) -> list[Quotation]:
    return find_quotations(text, list(PARSER.parse(text, split_paragraphs(text))))


def read(text: str) -> list[tuple[str, str | None, str | None, list[str]]]:
    """Return (kind, source, cue, contents) of every quotation, as printed."""
    return [
        (
            one.kind,
            text[slice(*one.source)] if one.source else None,
            text[slice(*one.cue)] if one.cue else None,
            [text[start:end] for start, end in one.contents],
        )
        for one in find(text)
    ]


@pytest.mark.parametrize(
    ("text", "kind", "source", "cue", "contents"),
    [
        # direct: before, after, around, inverted
        ("“We will go,” Ms. Oduya said.", "direct", "Ms. Oduya", "said", ["“We will go,”"]),
        ("“We will go,” said Ms. Oduya.", "direct", "Ms. Oduya", "said", ["“We will go,”"]),
        ('Ferro said: "They must go."', "direct", "Ferro", "said", ['"They must go."']),
        ('"Why now?" Ferro asked.', "direct", "Ferro", "asked", ['"Why now?"']),
        (
            "“It is dead,” Lee said, “and we know it.”",
            "direct", "Lee", "said", ["“It is dead,”", "“and we know it.”"],
        ),
        (
            "“It is dead,” said Lee, who leads the team. “We know it. So do they.”",
            "direct", "Lee, who leads the team", "said",
            ["“It is dead,”", "“We know it. So do they.”"],
        ),
        ("''Never,'' said Mr. Lee.", "direct", "Mr. Lee", "said", ["''Never,''"]),
        # indirect
        (
            "The ministry said that the port would stay shut.",
            "indirect", "The ministry", "said", ["that the port would stay shut"],
        ),
        (
            "The ministry said the port would stay shut.",
            "indirect", "The ministry", "said", ["the port would stay shut"],
        ),
        ("The union vowed to fight on.", "indirect", "The union", "vowed", ["to fight on"]),
        (
            "The minister announced the withdrawal of 40 guns.",
            "indirect", "The minister", "announced", ["the withdrawal of 40 guns"],
        ),
        (
            "The envoy called for a cease-fire in the hills.",
            "indirect", "The envoy", "called for", ["a cease-fire in the hills"],
        ),
        (
            "Norway urged both sides to show restraint.",
            "indirect", "Norway", "urged", ["both sides to show restraint"],
        ),
        ("Ruiz thinks the road is long.", "indirect", "Ruiz", "thinks", ["the road is long"]),
        ("The rebels refused to disarm.", "indirect", "The rebels", "refused", ["to disarm"]),
        (
            "Ruiz is confident that the plan will work.",
            "indirect", "Ruiz", "confident", ["that the plan will work"],
        ),
        ("His promise to leave was kept.", "indirect", "His", "promise", ["to leave"]),
        (
            "The deal is dead, according to two senior aides.",
            "indirect", "two senior aides", "according to", ["The deal is dead"],
        ),
        (
            "According to the draft, the gates would open in May.",
            "indirect", "the draft", "According to", ["the gates would open in May"],
        ),
        ("In Ruiz’s view the deal is dead.", "indirect", "Ruiz", "view", ["the deal is dead"]),
        # parenthetical
        ("The union would stay, Lee said.", "indirect", "Lee", "said", ["The union would stay"]),
        (
            "The talks, he insisted, were over.",
            "indirect", "he", "insisted", ["The talks", "were over"],
        ),
        # passive
        ("Lee was told that it had sunk.", "indirect", None, "told", ["that it had sunk"]),
        ("The deal is said to be close.", "indirect", None, "said", ["The deal", "to be close"]),
        (
            "“There is room,” he was quoted as saying.",
            "direct", "he", "quoted as saying", ["“There is room,”"],
        ),
        # mixed
        (
            "The minister said the offer was “not a price we can pay.”",
            "mixed", "The minister", "said", ["the offer was “not a price we can pay.”"],
        ),
        (
            "It would call off the strike, it said, “on the same day” as the rest.",
            "mixed", "it", "said",
            ["It would call off the strike", "“on the same day” as the rest"],
        ),
    ],
)  # fmt: skip
def test_one_quotation(
    text: str, kind: str, source: str | None, cue: str, contents: list[str]
) -> None:
    assert (kind, source, cue, contents) in read(text)


def test_adding_takes_what_follows_it() -> None:
    text = "Ruiz said that “safety is not for sale,” adding that he was sorry."
    assert read(text) == [
        ("mixed", "Ruiz", "said", ["that “safety is not for sale,”"]),
        ("indirect", "Ruiz", "adding", ["that he was sorry"]),
    ]


def test_who_is_asked_did_not_ask() -> None:
    text = "Asked whether a strike was near, she replied: “Ask the owners.”"
    assert ("direct", "she", "replied", ["“Ask the owners.”"]) in read(text)
    assert ("indirect", None, "Asked", ["whether a strike was near"]) in read(text)


def test_a_statement_says_once() -> None:
    text = "Ruiz said in a statement that the road was shut."
    assert read(text) == [("indirect", "Ruiz", "said", ["that the road was shut"])]


def test_nested_attributions_each_count() -> None:
    found = read("Lee believes Park thinks the deal is dead.")
    assert found == [
        ("indirect", "Lee", "believes", ["Park thinks the deal is dead"]),
        ("indirect", "Park", "thinks", ["the deal is dead"]),
    ]


def test_an_attribution_within_marks_stays_within_them() -> None:
    text = "“Oslo says the war is over,” said Lee."
    assert read(text) == [
        ("direct", "Lee", "said", ["“Oslo says the war is over,”"]),
        ("indirect", "Oslo", "says", ["the war is over"]),
    ]


def test_a_quotation_runs_over_paragraphs() -> None:
    text = "“We moved,” said Ruiz. “It rained.\n\n“We moved again.”\n\nThe road was dry."
    assert read(text) == [
        ("direct", "Ruiz", "said", ["“We moved,”", "“It rained.", "“We moved again.”"])
    ]


def test_a_speaker_named_at_the_end_spoke_the_paragraphs_before() -> None:
    text = "“We moved. It rained.\n\n“They did not,” said Ruiz."
    assert read(text) == [("direct", "Ruiz", "said", ["“We moved. It rained.", "“They did not,”"])]


def test_a_free_standing_quotation_continues_the_speaker_before_it() -> None:
    text = '"We are tired," said Ms. Ruiz.\n\n"It is late. We are going home."'
    assert read(text)[1] == ("direct", "Ms. Ruiz", None, ['"It is late. We are going home."'])


def test_a_quotation_after_a_sentence_about_its_speaker() -> None:
    text = "Ruiz said the talks were over. “We are tired of them.”"
    assert read(text)[1] == ("direct", "Ruiz", None, ["“We are tired of them.”"])


def test_a_colon_introduces_the_next_paragraph() -> None:
    text = "He then added:\n\n“We are tired.”"
    assert read(text) == [("direct", "He", "added", ["“We are tired.”"])]


def test_a_transcript() -> None:
    text = "Q: Is it over?\n\nMINISTER RUIZ: It is not. We go on.\n\n"
    assert read(text) == [
        ("direct", "Q", None, ["Is it over?"]),
        ("direct", "MINISTER RUIZ", None, ["It is not. We go on."]),
    ]


def test_a_turn_goes_on_over_paragraphs() -> None:
    text = "Q: Is it over?\n\nRuiz: It is not.\n\nWe go on.\n\nQ: Why?"
    assert ("direct", "Ruiz", None, ["We go on."]) in read(text)


def test_a_place_before_a_colon_is_no_speaker() -> None:
    text = "NEW DELHI: The ministry said that it would sign."
    assert read(text) == [("indirect", "The ministry", "said", ["that it would sign"])]


def test_a_headline_may_name_its_speaker() -> None:
    text = "Minister Ruiz: Talks ‘Near an End’\n\nThe road is dry."
    assert read(text)[0][1:] == ("Minister Ruiz", None, ["Talks ‘Near an End’"])


def test_single_quotes_and_apostrophes() -> None:
    text = "'It's the drivers' choice,' said Ms. Ruiz. 'We can't move. We won't.'"
    assert read(text) == [
        (
            "direct",
            "Ms. Ruiz",
            "said",
            ["'It's the drivers' choice,'", "'We can't move. We won't.'"],
        )
    ]


def test_wrapped_lines() -> None:
    text = (
        "The harbour company in the north of the island said on Monday that it\n"
        "would reopen the two berths by the end of the month. “We have waited\n"
        "long enough,” its manager said.\n"
    )
    assert read(text)[0][3] == ["that it\nwould reopen the two berths by the end of the month"]
    assert read(text)[-1][3] == ["“We have waited\nlong enough,”"]


@pytest.mark.parametrize(
    "text",
    [
        "Traffic moved along the so-called “Green Line” road.",
        "A film called “Harvest” ran all week.",
        "The “old guard” left at noon.",
        "The board is 6'2\" tall.",
        "This means that the port is shut.",
        "",
        "\n \n",
    ],
)
def test_no_quotation(text: str) -> None:
    assert read(text) == []


def test_a_dateline_is_not_said() -> None:
    text = "GENEVA, Sept. 29 - Malawi is ready to talk, officials said on Monday."
    assert (
        "indirect", "officials", "said", ["Malawi is ready to talk"]
    ) in read(text)  # fmt: skip


def test_an_unclosed_mark_ends_with_its_sentence() -> None:
    text = "He called it “a trap and left. The rest of the day was calm and quiet."
    assert all("calm" not in part for *_, contents in read(text) for part in contents)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(
                ["“", "”", '"', "'", "’", "''", "«", "said", "Lee", "he", "that", ",", ".", ":",
                 "\n\n", "\r\n", " ", "according to", "we", "Q:", "promise to", "go", "—", "\u200b"]
            ),
            max_size=40,
        ).map(" ".join),
    )
)  # fmt: skip
def test_offsets_are_within_the_text_and_in_order(text: str) -> None:
    found = find(text)
    for one in found:
        flat = [place for span in one.contents for place in span]
        assert flat == sorted(flat)
        assert all(start < end for start, end in one.contents)
        for start, end in (*one.contents, *filter(None, (one.cue, one.source))):
            assert 0 <= start < end <= len(text)
    assert [one.contents for one in found] == sorted(one.contents for one in found)


@pytest.mark.parametrize("part", ["he said that ", '"', "“no” and ", "Lee, he said, ", "who said "])
def test_time_grows_with_length_only(part: str) -> None:
    def seconds(count: int) -> float:
        text = part * count
        paragraphs = list(PARSER.parse(text, split_paragraphs(text)))
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            find_quotations(text, paragraphs)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(1600) < 10 * seconds(400) + 0.05  # 16 times, were it quadratic
