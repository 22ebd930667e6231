from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from detente import Codebook, Tagger
from detente.article import Article, Holder, Mention, Statement
from detente.evidence import HIGHLIGHTED, Evidence, explain, find_words
from detente.picture import article_text, reading_text
from detente.reading import Prediction, Reading
from detente.webview import article_html
from tests.conftest import ROOT, Command

REFUSED = "The ministry refused the offer and will no longer meet the company, officials said."
ONLY_IF = "“Iran”  will return to the table only if sanctions\nare lifted, its envoy said."
FILLER = "The museum in the old town shows coins, pots and a ship's bell from 1714. " * 40
UNTIL = "We will not sit down with them until the last soldier has left our valley."


def weights(prediction: Prediction) -> dict[str, float]:
    return {word.text: word.weight for word in prediction.evidence}


@pytest.mark.parametrize(
    ("statement", "holder", "dimension", "cues"),
    [
        ("The union refused to meet the company.", "The union", "stance", {"refused"}),
        (REFUSED, "The ministry", "shift", {"no", "longer"}),
        (ONLY_IF, "Iran", "stance", {"only"}),
        (UNTIL, "We", "sequencing", {"until"}),
        ("Norway is now taking a softer line than in spring.", "Norway", "shift", {"softer"}),
    ],
)
def test_the_cue_is_among_the_highlighted_words(
    tagger: Tagger, statement: str, holder: str, dimension: str, cues: set[str]
) -> None:
    prediction = tagger(statement, holder, explain=True).predictions[dimension]
    assert cues <= {word.text for word in prediction.evidence[:HIGHLIGHTED]}


def test_a_weight_is_what_the_probability_loses(tagger: Tagger) -> None:
    reading = tagger(REFUSED, "The ministry", explain=True)
    prediction = reading.shift
    for word in prediction.evidence:
        assert REFUSED[word.start : word.end] == word.text
        without = tagger(REFUSED[: word.start] + REFUSED[word.end :], "The ministry")
        left = without.shift.probabilities[prediction.label]
        assert word.weight == pytest.approx(prediction.probability - left, abs=1e-5)
    found = [word.weight for word in prediction.evidence]
    assert found == sorted(found, reverse=True)
    assert min(found) > 0


def test_a_cue_weighs_less_where_another_says_the_same(tagger: Tagger) -> None:
    once = tagger("The union refused the plan.", "The union", explain=True)
    twice = tagger(
        "The union refused the plan and rejected every point of it.", "The union", explain=True
    )
    assert weights(twice.stance).get("refused", 0) < weights(once.stance)["refused"] / 2


def test_only_positions_have_evidence_and_only_when_asked(tagger: Tagger) -> None:
    once = "The ministry refused to sign the accord."  # of two cues, neither might weigh anything
    plain, explained = (tagger(once, "The ministry", explain=wanted) for wanted in (False, True))
    assert not any(prediction.evidence for _, prediction in plain)
    assert "evidence" not in json.dumps(plain.to_dict())
    for name, prediction in explained:
        assert bool(prediction.evidence) == prediction.takes_position
        assert prediction.probabilities == plain.predictions[name].probabilities
        assert ("evidence" in explained.to_dict()[name]) == prediction.takes_position
    assert not explained.sequencing.takes_position
    quiet = "The delegations will meet again on Tuesday."
    assert tagger(quiet, explain=True) == tagger(quiet)


def test_the_batch_does_not_matter(tagger: Tagger) -> None:
    statements, holders = [REFUSED, ONLY_IF, UNTIL], ["The ministry", "Iran", "We"]
    together = tagger.classify(statements, holders, explain=True)
    for size in (1, 7):
        for one, other in zip(
            tagger.classify(statements, holders, batch_size=size, explain=True),
            together,
            strict=True,
        ):
            for name, prediction in one:
                assert weights(prediction) == pytest.approx(
                    weights(other.predictions[name]), abs=1e-5
                )


def words_of(statement: str, holder: str | None = None) -> list[str]:
    return [statement[start:end] for start, end in find_words(statement, holder)]


@pytest.mark.parametrize(
    ("statement", "holder", "expected"),
    [
        ("“No,” it said — won’t move.", None, "No it said won’t move"),
        ("A $1.5bn first-round offer…", None, "A 1.5bn first-round offer"),
        ("Zu\u0308rich’s 😀 plan fell.", None, "Zu\u0308rich’s plan fell"),
        ("Iran's envoy: IRAN won't, Iranians may.", "Iran", "envoy won't Iranians may"),
        ("The “Iron”\n Party's men left.", '"Iron" Party', "The men left"),
        ("The People’s Front said no.", "the People's Front", "said no"),
        ("We know the west.", "we", "know the west"),
        ("Talks (again).", "(", "Talks again"),
    ],
)
def test_words_leave_out_the_holder(statement: str, holder: str | None, expected: str) -> None:
    assert words_of(statement, holder) == expected.split(" ")


def test_quotes_in_statement_and_holder(tagger: Tagger) -> None:
    statement = "“We’ll never accept it,” the “Iron”  Union said —\nnever."
    reading = tagger(statement, 'the "Iron" Union', explain=True)
    straight = tagger(
        '"We\'ll never accept it," the "Iron" Union said — never.',
        'the "Iron" Union',
        explain=True,
    )
    assert reading.stance.evidence
    for (_, curly), (_, plain) in zip(reading, straight, strict=True):
        assert [word.weight for word in curly.evidence] == pytest.approx(
            [word.weight for word in plain.evidence], abs=1e-5
        )
        for word in curly.evidence:
            assert statement[word.start : word.end] == word.text
            assert word.text not in ("the", "Iron", "Union")


@pytest.mark.parametrize("place", [0, 20, 40])
def test_a_long_statement_is_explained_where_it_takes_its_position(
    tagger: Tagger, place: int
) -> None:
    sentence = FILLER[: len(FILLER) // 40]
    before, after = sentence * place, sentence * (40 - place)
    statement = before + UNTIL + " " + after
    reading = tagger(statement, "We", explain=True)
    (top, *_) = reading.stance.evidence
    assert 0 <= top.start - statement.index(UNTIL) < len(UNTIL)


def test_a_long_statement_costs_no_more_than_its_length() -> None:
    asked: list[str] = []

    def classify(pairs: Sequence[tuple[str, str | None]]) -> list[Reading]:
        asked.extend(text for text, _ in pairs)
        return [made(text, 0.9 if "never" in text else 0.2) for text, _ in pairs]

    statement = "so " * 2000 + "we never agree " + "and " * 2000
    reading = explain(made(statement, 0.9), classify, is_long=True)
    assert [word.text for word in reading.predictions["warmth"].evidence] == ["never"]
    assert len(asked) < 4000 / 40 + 90
    assert max(len(text.split()) for text in asked) <= 80


def made(text: str, cold: float, evidence: tuple[Evidence, ...] = ()) -> Reading:
    odds = {"cold": cold, "warm": 1 - cold}
    return Reading(text, None, {"warmth": Prediction("cold", cold, odds, True, False, evidence)})


def test_a_statement_of_nothing_but_its_holder(tagger: Tagger) -> None:
    for holder in ("Never", None):
        reading = tagger("Never", holder, explain=True)
        assert [prediction.label for _, prediction in reading]
    explained = explain(made("Never", 0.9), lambda pairs: [made("", 0.9) for _ in pairs])
    assert explained.predictions["warmth"].evidence == ()


def test_an_article_is_explained_when_asked(tagger: Tagger, codebook: Codebook) -> None:
    text = "Talks ended.\n\nJapan refused the  offer & said it will no longer meet China.\n"
    plain, explained = tagger.tag(text), tagger.tag(text, explain=True)
    words = [
        (statement, word)
        for statement in explained.statements
        for holder in statement.holders
        for _, prediction in holder.reading
        for word in prediction.evidence[:HIGHLIGHTED]
    ]
    assert {"no", "longer"} <= {word.text for _, word in words}
    for statement, word in words:
        assert text[statement.start + word.start : statement.start + word.end] == word.text
    assert "<b title" not in article_html(plain)
    for _, word in words:
        assert f">{word.text}</b>" in article_html(explained)
    picture = article_text(explained, codebook)
    assert picture.plain == article_text(plain, codebook).plain
    lit = {picture.plain[s.start : s.end] for s in picture.spans if "reverse" in str(s.style)}
    assert lit == {word.text for _, word in words}
    assert "reverse" not in str(article_text(plain, codebook).spans)


def test_a_word_that_several_holders_share_is_marked_once() -> None:
    text = "They <never> agree."
    holders = tuple(
        Holder(Mention(name, 0, 4), made(text, 0.9, (Evidence("never", 6, 11, weight),)))
        for name, weight in (("They", 0.2), ("<Oslo>", 0.4))
    )
    page = article_html(Article("a", text, (Statement(1, 0, len(text), text, holders),)))
    assert page.count("never</b>") == 1
    assert (
        '<b title="They: warmth cold -0.20\n&lt;Oslo&gt;: warmth cold -0.40">never</b>&gt;' in page
    )


def test_a_reading_is_one_line_for_each_position(tagger: Tagger, codebook: Codebook) -> None:
    statement = ONLY_IF + "\x1b[31m"
    reading = tagger(statement, "Iran", explain=True)
    lines = reading_text(reading, codebook).plain.splitlines()
    assert len(lines) == sum(prediction.takes_position for _, prediction in reading) > 1
    assert "\x1b" not in "".join(lines)
    assert all("“Iran” will return to the table only if sanctions are" in line for line in lines)


def test_the_command_explains(detente: Command, tmp_path: Path) -> None:
    done = detente("classify", REFUSED, "--holder", "The ministry", "--explain")
    assert (done.returncode, done.stderr) == (0, "")
    labels = json.loads(done.stdout)
    words = labels["shift"]["evidence"]
    assert {"no", "longer"} <= {word["text"] for word in words[:HIGHLIGHTED]}
    assert all(REFUSED[word["start"] : word["end"]] == word["text"] for word in words)
    assert "evidence" not in labels["sequencing"]

    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"text": REFUSED, "holder": "The ministry"}) + "\n")
    done = detente("classify", "-i", path, "--explain")
    assert json.loads(done.stdout)["shift"] == labels["shift"]

    page = tmp_path / "page.html"
    article = ROOT / "data" / "articles" / "port-strike.txt"
    for flags, expected in (((), False), (("--explain",), True)):
        done = detente("show", article, "--html", page, *flags)
        assert done.returncode == 0, done.stderr
        assert ("<b title" in page.read_text(encoding="utf-8")) == expected
