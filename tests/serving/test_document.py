from __future__ import annotations

from pathlib import Path

import pytest

from detente.codebook import Codebook
from detente.document import read_document
from detente.errors import CodebookError, InputError
from detente.parties.actors import ActorList
from detente_training.config import RunConfig, load_config

CODEBOOK = """\
name: tone
dimensions:
  - name: tone
    labels: [low, high]
  - name: pace
    kind: ordinal
    no_position: still
    labels: [slow, fast, still]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_codebook_of_bare_labels_loads(tmp_path: Path) -> None:
    codebook = Codebook.load(write(tmp_path, CODEBOOK))
    assert codebook.size == 5
    assert codebook.slices == {"tone": slice(0, 2), "pace": slice(2, 5)}
    assert codebook.dimensions[0].scale == ()
    assert codebook.dimensions[1].scale == (0, 1)


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("[low, high]", "[low]", 4, ["labels"]),
        ("[low, high]", "[low, low]", 4, ["'low' is given twice"]),
        ("no_position: still", "no_position: stil", 7, ["stil", "slow, fast, still"]),
        ("kind: ordinal", "kind: ordered", 6, ["kind"]),
        ("kind: ordinal", "kindd: ordinal", 6, ["kindd", "did you mean 'kind'"]),
        ("name: pace", "name: tone", 2, ["'tone' is given twice"]),
        ("name: pace", "name: holder", 5, ["cannot name a dimension"]),
        ("name: pace", "name: [", 5, ["YAML"]),
        ("[low, high]", "[low, 2024-13-45]", 4, ["'2024-13-45'", "month", "quotation marks"]),
        ("labels: [low, high]", "labels: &low [*low]", 4, ["an alias of itself"]),
        ("name: tone\ndim", "name: tone\nname: again\ndim", 2, ["given twice"]),
    ],
)
def test_a_broken_codebook_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, words: list[str]
) -> None:
    path = write(tmp_path, CODEBOOK.replace(before, after))
    with pytest.raises(CodebookError) as caught:
        Codebook.load(path)
    message = str(caught.value)
    place = message.split(": ")[0]
    # YAML itself may only notice a fault on a later line than the one that has it.
    assert place == f"{path}:{line}" or ("YAML" in message and place.startswith(str(path)))
    assert all(word in message for word in words), message


def test_aliases_of_aliases_are_looked_at_once(tmp_path: Path) -> None:
    tower = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    path = write(tmp_path, f"name: tone\na0: &a0 [1, 1]\n{tower}")
    with pytest.raises(InputError, match="key 'dimensions' is missing"):
        read_document(path, Codebook)


def test_no_codebook_at_all(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="no such file"):
        Codebook.load(tmp_path / "none.yaml")
    with pytest.raises(CodebookError, match="is empty"):
        Codebook.load(write(tmp_path, " \n"))
    with pytest.raises(CodebookError, match="expected `key: value`"):
        Codebook.load(write(tmp_path, "- a\n- b\n"))


def test_an_unknown_label_names_the_allowed_ones(codebook: Codebook) -> None:
    dimension = codebook.dimensions[0]
    with pytest.raises(CodebookError, match=", ".join(dimension.label_names)):
        dimension.index("soft")


def test_overrides_win_and_their_faults_name_them(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ntraining: {epochs: 3}\n")
    config = load_config(path, ["training.epochs=7", "split.test=[x, y]"])
    assert config.training.epochs == 7
    assert config.split.test == ("x", "y")
    for override, words in {
        "training.epoch=7": ["training.epoch=7", "did you mean 'epochs'"],
        "training.epochs=none": ["training.epochs=none", "integer"],
        "training.epochs": ["key=value"],
        "split.test=[x, 2024]": ["split.test=[x, 2024]", "split.test.1", "string"],
        "name.x=1": ["'name' has no keys below it"],
        "seed=[": ["YAML"],
    }.items():
        with pytest.raises(InputError) as caught:
            load_config(path, [override])
        assert all(word in str(caught.value) for word in words), caught.value


def test_a_fault_in_a_longer_list_than_the_files_names_the_override(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\nsplit: {validation: [x]}\n")
    with pytest.raises(InputError, match=r"split.validation=\[y, 2024\]: split.validation.1: "):
        load_config(path, ["split.validation=[y, 2024]"])


def test_an_unknown_key_of_an_entry_suggests_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "actors:\n  TRS:\n    name: [Tarsa]\n")
    with pytest.raises(InputError) as caught:
        read_document(path, ActorList)
    assert str(caught.value).startswith(
        f"{path}:3: unknown key 'actors.TRS.name'; did you mean 'names'? Allowed: names, capital"
    )


def test_an_unknown_key_suggests_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ntraining:\n  epochs: 3\n  learnin_rate: 1.0\n")
    with pytest.raises(InputError) as caught:
        read_document(path, RunConfig)
    assert str(caught.value).startswith(f"{path}:4: unknown key 'training.learnin_rate'")
    assert "did you mean 'learning_rate'?" in str(caught.value)
