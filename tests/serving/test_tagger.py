from __future__ import annotations

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import detente
from detente import Tagger
from detente.article import Mention, columns
from detente.bundle import Bundle
from detente.codebook import Dimension
from detente.encoding import mark_holder, prepare
from detente.errors import BundleError, InputError
from detente.holder import Candidate
from detente.scene import Party
from detente.tagger import _join_windows

SOFTER = '"Norway is now taking a softer line than in the spring," the minister said.'
STATEMENTS = [
    SOFTER,
    "The delegations will meet again on Tuesday.",
    "We will not sit down with them until the last soldier has left our valley.",
    "The company said it was now ready to drop its demand for a longer working week.",
]


def test_a_reading_has_every_dimension(tagger: Tagger) -> None:
    reading = tagger(SOFTER, holder="Norway")
    assert list(reading.predictions) == [d.name for d in tagger.codebook.dimensions]
    for dimension in tagger.codebook.dimensions:
        prediction = getattr(reading, dimension.name)
        assert tuple(prediction.probabilities) == dimension.label_names
        assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert prediction.probability == max(prediction.probabilities.values())
        assert prediction.probabilities[prediction.label] == prediction.probability
        threshold = tagger.manifest.thresholds[dimension.name]
        assert prediction.abstained == (prediction.probability < threshold)
        assert (dimension.name in reading.abstained) == prediction.abstained
    assert copy.deepcopy(reading) == reading
    assert pickle.loads(pickle.dumps(reading)) == reading
    with pytest.raises(AttributeError, match="this model has: stance"):
        _ = reading.mood


def test_the_worked_examples_read_right(tagger: Tagger) -> None:
    reading = tagger(SOFTER, holder="Norway")
    assert (reading.stance.label, reading.shift.label) == ("flexible", "softening")
    reading = tagger(STATEMENTS[2], holder="We")
    assert (reading.stance.label, reading.sequencing.label) == ("hardline", "other_first")
    assert not tagger(STATEMENTS[1]).takes_position


def test_words_that_leave_no_room_give_way_to_the_partys_name(tagger: Tagger) -> None:
    phrase = "Kari Lund, Norway's minister, " + "who had been " * 60 + "there"
    text = f"{phrase}, said that the country would never sign the paper. " + "It was late. " * 40
    sentence = text[: text.index(".") + 1]
    for words, kept in ((phrase, "Norway"), ("Kari Lund", "Kari Lund")):
        candidate = Candidate(Party("NOR", "NOR", "Norway"), Mention(words, 0, len(words), "NOR"))
        assert tagger._words(sentence * 2, candidate) == kept
    assert any(
        holder.party == "NOR" for one in tagger.tag(text).statements for holder in one.holders
    )


def test_a_label_set_holds_what_cannot_be_ruled_out(tagger: Tagger) -> None:
    for reading in tagger.classify(STATEMENTS):
        for name, prediction in reading:
            least = tagger.manifest.set_thresholds[name]
            assert prediction.label in prediction.label_set
            for label, probability in prediction.probabilities.items():
                inside = label in prediction.label_set
                assert inside == (probability >= least or label == prediction.label)


@pytest.mark.parametrize("least", [0.0, 1.0])
def test_the_bundles_thresholds_decide_on_label_sets_and_abstention(
    tagger: Tagger, least: float
) -> None:
    given, names = tagger._bundle, [dimension.name for dimension in tagger.codebook.dimensions]
    bars = dict.fromkeys(names, least)
    manifest = given.manifest.model_copy(update={"thresholds": bars, "set_thresholds": bars})
    other = Tagger(Bundle(given.path, manifest, given.session, given.encoder, given.gate))
    (row, *_) = other.tag("Japan said no.").rows()
    assert row["abstained"] == ("" if least == 0 else " ".join(names))
    for dimension in other.codebook.dimensions:
        found = other("Japan said no.", "Japan").predictions[dimension.name]
        assert found.label_set == (dimension.label_names if least == 0 else (found.label,))


def test_probabilities_are_the_models_logits_scaled_as_its_bundle_says(tagger: Tagger) -> None:
    bundle, text = tagger._bundle, "Norway told Peru that it would wait."
    (window,) = bundle.encoder.windows(text, "Norway")
    assert window.tokens.count("@") == 2  # around the holder
    assert 0 < sum(window.type_ids) < len(window.ids)
    inputs = {"input_ids": window.ids, "token_type_ids": window.type_ids}
    inputs["attention_mask"] = [1] * len(window.ids)
    feed = {name: np.array([inputs[name]]) for name in bundle.session._inputs}
    (logits,) = bundle.session._session.run(None, feed)[0]
    reading = tagger(text, "Norway")
    for name, places in tagger.codebook.slices.items():
        scaled = logits[places] / tagger.manifest.temperatures[name] + tagger.manifest.biases[name]
        expected = np.exp(scaled) / np.exp(scaled).sum()
        assert list(reading.predictions[name].probabilities.values()) == pytest.approx(expected)


def test_each_mention_of_the_holder_is_marked() -> None:
    marked = mark_holder("Iran (IRAN) left; Iranians and U.S. envoys of Iran's stayed.", "Iran")
    assert marked == "@ Iran @ (@ IRAN @) left; Iranians and U.S. envoys of @ Iran @'s stayed."
    assert mark_holder("The U.S. left.", "U.S.") == "The @ U.S. @ left."
    assert mark_holder("It left.", "Iran") == "It left."


def test_readings_come_in_the_order_given_whatever_shares_their_batch(tagger: Tagger) -> None:
    many = [*STATEMENTS, " ".join(STATEMENTS), *reversed(STATEMENTS)]
    together = tagger.classify(many, batch_size=3)
    assert [reading.text for reading in together] == many
    for text, reading in zip(many, together, strict=True):
        alone = tagger(text)
        for name, prediction in alone:
            assert prediction.probability == pytest.approx(
                reading.predictions[name].probabilities[prediction.label], abs=1e-5
            )
    assert tagger.classify([]) == []


def test_a_long_statement_is_read_to_its_end(tagger: Tagger) -> None:
    filler = "The museum in the old town shows coins, pots and a ship's bell from 1714. " * 40
    assert not tagger(filler).stance.takes_position
    reading = tagger(filler + STATEMENTS[2], holder="We")
    assert reading.stance.label == tagger(STATEMENTS[2], holder="We").stance.label
    assert reading.stance.takes_position


def test_quotes_and_spaces_do_not_matter(tagger: Tagger) -> None:
    assert prepare("“No,”  he\n said.\u00a0‘Never’") == "\"No,\" he said. 'Never'"
    assert prepare("cafe\u0301") == "café"
    assert len(prepare("a" + "\u0301\u0323" * 500)) <= 31
    curly = tagger(
        "“Norway  is now\ntaking a softer line than in the spring,” the minister said.", "Norway"
    )
    assert curly.predictions == tagger(SOFTER, "Norway").predictions


@pytest.mark.parametrize(
    ("statements", "holders", "words"),
    [
        ("one text", None, ["takes a list"]),
        (["a b", "c d", "e f"], "USA", ["takes a list of holders"]),
        (["a b", " "], None, ["statement 2", "empty"]),
        (["a b"], ["x", "y"], ["1 statements but 2 holders"]),
        (["We left."], ["the hills " * 11], ["statement 1", "longer than the text (110 against 8"]),
        (["We left."], [3], ["must be text"]),
        (["We left.", "so " * 400], [None, "and " * 300], ["statement 2", "too many words"]),
        # The holder fits, but leaves less than what windows share.
        (["so " * 400], ["and " * 120], ["statement 1", "too many words"]),
        (["We left.", 5], None, ["statement 2", "must be a string, not int"]),
        (["We \ud800 left."], None, ["statement 1", "half of a character"]),
    ],
)
def test_input_that_cannot_be_read(
    tagger: Tagger, statements: Any, holders: Any, words: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        tagger.classify(statements, holders)
    assert all(word in str(caught.value) for word in words), caught.value


def test_one_tagger_serves_many_threads(tagger: Tagger) -> None:
    expected = [tagger(text).predictions for text in STATEMENTS]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            found = pool.map(lambda text: tagger(text).predictions, STATEMENTS * 3)
            assert list(found) == expected * 3


def test_one_tagger_tags_in_many_threads(tagger: Tagger) -> None:
    texts = [f"{statement} {SOFTER}" for statement in STATEMENTS]
    expected = [tagger.tag(text).rows() for text in texts]
    assert all(expected)
    fresh = Tagger.load()  # loads its parts at the first article, in all threads at once
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: fresh.tag(text).rows(), texts * 3))
    assert found == expected * 3


def test_an_article_is_tagged_with_exact_offsets(tagger: Tagger) -> None:
    text = "Envoys talk\n\nJapan told the\nunion no. Rain fell in Zürich — 😀. “Yes,” said Oslo.\n"
    article = tagger.tag(text, name="a")
    assert [statement.number for statement in article.statements] == [1, 2, 3, 4]
    for statement in article.statements:
        assert text[statement.start : statement.end] == statement.text
        for holder in statement.holders:
            if holder.mention:
                assert text[holder.mention.start : holder.mention.end] == holder.mention.text
    rows = article.rows()
    assert [(row["statement"], row["holder"]) for row in rows] == [
        (2, "Japan"),
        (2, "the\nunion"),
        (4, "Oslo"),
    ]
    assert tagger.tag("").rows() == []


def test_a_holder_that_is_only_implied_may_be_longer_than_the_statement(tagger: Tagger) -> None:
    assert tagger("We refuse.", holder="European Commission").stance.label == "hardline"


def test_a_long_holder_is_read_where_its_statement_fits(tagger: Tagger) -> None:
    assert tagger("international " * 34, "and " * 118)


def test_a_frame_without_rows_has_the_usual_columns(tagger: Tagger) -> None:
    full, empty = tagger.tag("Japan told the union no."), tagger.tag("Hello there.")
    for probabilities in (False, True):
        names = list(columns(tagger.codebook, probabilities=probabilities))
        for article in (full, empty):
            frame = article.to_frame(probabilities=probabilities)
            assert list(frame.columns) == names
            assert len(frame) == len(article.rows())
    assert list(full.rows()[0]) == list(full.to_frame().columns)


def test_a_row_names_the_dimensions_that_are_abstained_on(tagger: Tagger) -> None:
    article = tagger.tag("Japan might look at it again. Peru will never accept the offer.")
    readings = [holder.reading for s in article.statements for holder in s.holders]
    cells = [row["abstained"] for row in article.rows()]
    assert len(cells) > 1
    assert cells == [" ".join(reading.abstained) for reading in readings]
    for reading in readings:
        assert reading.to_dict()["abstained"] == list(reading.abstained)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_holds_something(tagger: Tagger, batch_size: int) -> None:
    for run in (
        lambda: tagger.classify(STATEMENTS, batch_size=batch_size),
        lambda: tagger.tag("Japan said no.", batch_size=batch_size),
        lambda: list(tagger.tag_many(["Japan said no."], batch_size=batch_size)),
    ):
        with pytest.raises(InputError, match=f"batch_size is {batch_size}"):
            run()


def test_tag_many_takes_several_articles(tagger: Tagger) -> None:
    for article in ("Japan said no.", detente.Source("a", "Japan said no.")):
        with pytest.raises(InputError, match="tag_many takes several articles"):
            tagger.tag_many(article)  # type: ignore[arg-type]


def test_a_bad_article_does_not_end_the_others(tagger: Tagger) -> None:
    articles: list[Any] = [
        "Japan said no.",
        "Half \ud800.",
        detente.Source("b", "Half \ud800."),
        float("nan"),
        "Peru said no.",
    ]
    failures: list[Any] = []
    tagged = tagger.tag_many(articles, on_failure=failures.append)
    assert [article.text for article in tagged] == ["Japan said no.", "Peru said no."]
    assert [(failure.name, failure.message) for failure in failures] == [
        ("article 2", "article 2: half of a character at position 5"),
        ("b", "b: half of a character at position 5"),
        ("article 4", "article 4: the text must be a string, not float"),
    ]
    with pytest.raises(InputError, match="article 2: half of a character"):
        list(tagger.tag_many(articles))


def test_an_unforeseen_failure_does_not_end_the_others(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(tagger, "_discourse", lambda _: [][0])
        assert not list(tagger.tag_many(["Japan said no."], on_failure=failures.append))
    assert failures[0].message == "article 1: IndexError: list index out of range"


def test_windows_are_joined_by_the_one_that_takes_a_position() -> None:
    windows = np.array([[0.9, 0.1], [0.3, 0.7]])
    without = Dimension(name="tone", labels=("calm", "sharp"))
    assert _join_windows(windows, without).tolist() == pytest.approx([0.6, 0.4])
    silent = Dimension(name="tone", labels=("calm", "sharp"), no_position="calm")
    assert _join_windows(windows, silent).tolist() == [0.3, 0.7]


def test_a_users_actors_are_found(tmp_path: Path) -> None:
    text = "Tarsa refused to sign the accord."
    path = tmp_path / "mine.yaml"
    path.write_text("actors:\n  TAR:\n    names: [Tarsa]\n")
    (row,) = Tagger.load(actors=path).tag(text).rows()
    assert (row["holder"], row["actor"]) == ("Tarsa", "TAR")


def test_a_missing_file_of_actors_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nope.yaml: no such file"):
        Tagger.load(actors=tmp_path / "nope.yaml")


def test_what_public_functions_take_and_return_is_public() -> None:
    assert {"Article", "Codebook", "Columns", "Reading", "Source"} <= set(detente.__all__)
    results = {"Statement", "Holder", "Mention", "Prediction", "Evidence", "Failure"}
    assert results <= set(detente.__all__)
    assert all(hasattr(detente, name) for name in detente.__all__)


def test_sources() -> None:
    with pytest.raises(BundleError, match="no such model folder"):
        Tagger.load("no/such/folder")
    with pytest.raises(InputError, match="unknown kind of source 'ftp:'"):
        Tagger.load("ftp://somewhere")


def test_a_registered_model_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "detente_training.registry", raising=False)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(InputError, match=r"needs mlflow; .* 'detente\[train\]'"):
        Tagger.load("models:/detente@champion")
