from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from detente import Codebook
from detente.errors import InputError
from detente_training.distillation import Readings, pairs_to_read, write_readings
from detente_training.loss import CodebookLoss
from detente_training.record import Pair, Record

TEXT = "Kenya will not lift the ban until Ghana pays, its envoy in Nairobi told Reuters."
PAIRS: list[Pair] = [(TEXT, "Kenya"), (TEXT, None)]


def record(text: str, holder: str | None) -> Record:
    labels = {"stance": "hardline", "sequencing": "other_first", "shift": "none"}
    return Record("a", text, holder, labels, "ban", "ban.jsonl:1")


@pytest.fixture
def written(tmp_path: Path, codebook: Codebook) -> Path:
    path = tmp_path / "teacher.parquet"
    logits = np.arange(2.0 * codebook.size).reshape(2, -1) / 8
    write_readings(path, codebook, PAIRS, logits.tolist(), "large", ["dam", "pier"], ["strike"])
    return path


def test_readings_come_back_as_written(written: Path, codebook: Codebook) -> None:
    readings = Readings.load(written, codebook, [])
    assert (readings.teacher, readings.negotiations) == ("large", ("dam", "pier"))
    assert readings.articles == ("strike",)
    assert list(readings.logits) == PAIRS
    assert readings.of(TEXT, None) == [(codebook.size + i) / 8 for i in range(codebook.size)]
    assert np.isnan(readings.of("Another text.", None)).all()
    assert readings.digest == Readings.load(written, codebook, []).digest


def test_a_copy_reads_like_its_original(written: Path, codebook: Codebook) -> None:
    readings = Readings.load(written, codebook, [])
    copy = TEXT.replace("Kenya", "Ardovia")
    copied = readings.also({(copy, "Ardovia"): (TEXT, "Kenya"), ("New.", None): ("Old.", None)})
    assert copied.of(copy, "Ardovia") == readings.of(TEXT, "Kenya")
    assert len(copied.logits) == len(readings.logits) + 1


def test_readings_of_unseen_statements_are_refused(written: Path, codebook: Codebook) -> None:
    with pytest.raises(InputError, match=r"ban\.jsonl:1, which is not to be trained on"):
        Readings.load(written, codebook, [record(TEXT, "Ghana")])
    with pytest.raises(InputError, match="is not to be trained on"):
        Readings.load(written, codebook, [record(TEXT.replace(" ", "  ").upper(), "Ghana")])


def test_readings_of_other_statements_can_be_left_out(written: Path, codebook: Codebook) -> None:
    readings = Readings.load(written, codebook, [])
    assert readings.within({TEXT}) == readings
    assert not readings.within({"Another text."}).logits


def test_readings_that_do_not_fit_are_refused(
    written: Path, codebook: Codebook, tmp_path: Path
) -> None:
    other = codebook.model_copy(update={"dimensions": codebook.dimensions[:1]})
    with pytest.raises(InputError, match="another codebook"):
        Readings.load(written, other, [])
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(written.read_bytes()[:-9])
    with pytest.raises(InputError, match="no Parquet file"):
        Readings.load(broken, codebook, [])
    with pytest.raises(InputError, match="no such file"):
        Readings.load(tmp_path / "absent.parquet", codebook, [])


def test_a_statement_is_read_for_every_party_it_names() -> None:
    pairs = pairs_to_read([record(TEXT, "Kenya"), record("We agree.", "We")])
    assert pairs[:2] == [(TEXT, "Kenya"), ("We agree.", "We")]
    assert {(TEXT, None), (TEXT, "Ghana"), ("We agree.", None)} <= set(pairs[2:])
    assert len(pairs) == len(set(pairs))


def test_views_replace_words_but_no_names() -> None:
    records = [
        record(TEXT, "Kenya"),
        record("The miners will never sign before the owners pay.", "The miners"),
        record("Growers may lift the embargo once the mills agree to a lower price.", "Growers"),
    ]
    plain = pairs_to_read(records)
    pairs = pairs_to_read(records, views=20, seed=3)
    assert pairs[: len(plain)] == plain
    assert pairs == pairs_to_read(records, views=20, seed=3)
    assert pairs != pairs_to_read(records, views=20, seed=4)
    words = {word.strip(".,").lower() for each in records for word in each.text.split()}
    for text, holder in pairs[len(plain) :]:
        assert holder is not None
        assert holder in text
        assert {word.strip(".,").lower() for word in text.split()} <= words | {""}
        if holder == "Kenya":
            assert "Ghana" in text
            assert "Nairobi" in text
    assert 30 < len(pairs) - len(plain) <= 60


def test_the_loss_is_least_where_the_teacher_is_followed(codebook: Codebook) -> None:
    loss = CodebookLoss(
        codebook, np.ones(codebook.size), 0.0, teacher_weight=1.0, teacher_temperature=2.0
    )
    teacher = torch.randn((6, codebook.size), generator=torch.Generator().manual_seed(1))
    labels = torch.full((6, len(codebook.dimensions)), -100)
    follower = teacher.clone().requires_grad_()
    loss(follower, labels, teacher).backward()
    assert follower.grad is not None
    assert follower.grad.abs().max() < 1e-6
    assert loss(-teacher, labels, teacher) > loss(teacher, labels, teacher)


def test_pairs_without_a_teacher_count_by_their_labels_only(codebook: Codebook) -> None:
    loss = CodebookLoss(codebook, np.ones(codebook.size), 0.0, teacher_weight=0.4)
    logits = torch.randn((2, codebook.size), generator=torch.Generator().manual_seed(1))
    labels = torch.zeros((2, len(codebook.dimensions)), dtype=torch.int64)
    nothing = torch.full_like(logits, float("nan"))
    assert loss(logits, labels, nothing).item() == pytest.approx(loss(logits, labels).item())


def test_labels_weigh_less_where_the_teacher_has_read(codebook: Codebook) -> None:
    loss = CodebookLoss(codebook, np.ones(codebook.size), 0.0, teacher_weight=0.4)
    logits = torch.randn((2, codebook.size), generator=torch.Generator().manual_seed(1))
    labels = torch.zeros((2, len(codebook.dimensions)), dtype=torch.int64)
    unlabelled = torch.full_like(labels, -100)
    taught = logits.flip(1).clone()
    taught[1] = float("nan")
    by_labels = 0.6 * loss(logits[:1], labels[:1]) + loss(logits[1:], labels[1:])
    by_teacher = loss(logits, unlabelled, taught)
    assert loss(logits, labels, taught).item() == pytest.approx(
        (by_labels / 2 + by_teacher).item(), rel=1e-5
    )


def test_a_taught_pair_weighs_the_same_in_any_batch(codebook: Codebook) -> None:
    loss = CodebookLoss(codebook, np.ones(codebook.size), 0.0, teacher_weight=0.4)
    logits = torch.randn((4, codebook.size), generator=torch.Generator().manual_seed(1))
    labels = torch.full((4, len(codebook.dimensions)), -100)
    taught = logits.flip(1).clone()
    taught[1:] = float("nan")
    alone = loss(logits[:1], labels[:1], taught[:1])
    assert loss(logits, labels, taught).item() == pytest.approx(alone.item() / 4, rel=1e-5)
