from __future__ import annotations

from detente.speech.cue import read_cues


def test_cues_are_lemmas_in_lower_case() -> None:
    cues = read_cues()
    for words in (cues.say, cues.think, cues.intend, cues.judge, cues.nouns, cues.adjectives):
        assert len(words) > 20
        assert all(word == word.lower() for word in words)
    assert not cues.never & (cues.say | cues.think)
