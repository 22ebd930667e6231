from __future__ import annotations

import pytest

from detente_training.texture import commonest_gram, distinct, grams, length_deciles


def test_grams_are_words_in_a_row() -> None:
    assert grams("The U.S. will, it said.", 5) == {"the u s will it", "u s will it said"}
    assert grams("No.", 5) == {"no"}


def test_the_commonest_gram_counts_texts_not_repeats() -> None:
    texts = ["we will not go we will not go", "today we will not stay", "they may go at once"]
    assert commonest_gram(texts, 3) == ("we will not", pytest.approx(2 / 3))
    assert commonest_gram([]) == ("", 0.0)


def test_repetition_lowers_distinctness() -> None:
    varied = ["one two three four", "five six seven eight"]
    repeated = ["one two three four"] * 2
    assert distinct(varied, 8) == 1.0
    assert distinct(repeated, 8) == 0.5
    assert distinct(varied, 4) == 1.0


def test_deciles_are_in_words() -> None:
    assert length_deciles([" ".join(["word"] * length) for length in range(101)]) == [
        *(10, 20, 30, 40, 50, 60, 70, 80, 90)
    ]
