from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detente import Tagger
from detente.bundle import DEFAULT, MANIFEST, MODEL, TOKENIZER, Bundle
from detente.errors import BundleError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT, tmp_path / "bundle"))


def edit(bundle: Path, **changes: Any) -> None:
    path = bundle / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refusal(bundle: Path) -> str:
    with pytest.raises(BundleError) as caught:
        Bundle.load(bundle)
    return str(caught.value)


def test_the_bundled_model_is_whole_and_small() -> None:
    bundle = Bundle.load()
    assert bundle.manifest.codebook.size == 11
    assert sum(file.stat().st_size for file in DEFAULT.iterdir()) < 26_000_000
    corpus = bundle.manifest.corpus
    assert corpus.test
    assert {*corpus.train, *corpus.validation, *corpus.taught} == corpus.seen
    assert not corpus.seen & {*corpus.test}


@pytest.mark.parametrize("name", [MODEL, TOKENIZER])
def test_a_flipped_byte_is_noticed(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    message = refusal(bundle)
    assert str(bundle / name) in message
    assert "does not match the hash" in message


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / TOKENIZER).unlink()
    assert f"{bundle / TOKENIZER}: is missing" in refusal(bundle)
    (bundle / MANIFEST).unlink()
    assert f"{bundle / MANIFEST}: no such file" in refusal(bundle)


def test_a_newer_format_asks_for_an_upgrade(bundle: Path) -> None:
    edit(bundle, format=2, something_new=1)
    message = refusal(bundle)
    assert "format 2 is newer" in message
    assert "pip install -U detente" in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"temperatures": {}}, "temperatures"),
        ({"thresholds": {"mood": 1.0}}, "thresholds"),
        ({"files": {}}, "files"),
        ({"surprise": 1}, "surprise"),
        ({"window": {"max_length": 1, "stride": 0}}, "max_length"),
        ({"window": {"max_length": 10**20, "stride": 0}}, "max_length"),
        ({"window": {"max_length": 160, "stride": 153}}, "stride must be at least 8 below"),
        ({"window": {"max_length": 160, "stride": 40, "pad_id": -1}}, "window.pad_id"),
        ({"window": {"max_length": 160, "stride": 40, "pad_id": 10**6}}, "window.pad_id"),
        ({"temperatures": {"stance": 1e-300, "sequencing": 1, "shift": 1}}, "temperatures.stance"),
        ({"biases": {"stance": [0, 0, 0, 0]}}, "biases do not fit"),
        ({"biases": {"stance": [0], "sequencing": [0], "shift": [0]}}, "biases do not fit"),
        ({"biases": {"stance": [99, 0, 0, 0]}}, "biases.stance"),
        ({"thresholds": {"stance": 1, "sequencing": 9, "shift": 1}}, "thresholds.sequencing"),
        ({"set_thresholds": {"stance": 0, "sequencing": 0, "shift": -1}}, "set_thresholds.shift"),
    ],
)
def test_a_broken_manifest_names_the_key(bundle: Path, changes: dict[str, Any], words: str) -> None:
    edit(bundle, **changes)
    message = refusal(bundle)
    assert words in message
    assert MANIFEST in message


def test_a_bundle_reaches_for_nothing_outside_itself(bundle: Path) -> None:
    files = json.loads((bundle / MANIFEST).read_text())["files"]
    (bundle.parent / "outside").write_text("secret")
    for name in ("../outside", str(bundle.parent / "outside"), ""):
        edit(bundle, files={**files, name: "0"})
        assert "lies outside the bundle" in refusal(bundle)
    for name in ("..", "a\0b"):
        edit(bundle, files={**files, name: "0"})
        assert "is missing" in refusal(bundle)


def test_a_snapshot_of_links_is_checked_like_any_folder(bundle: Path) -> None:
    blobs = bundle.parent / "blobs"
    blobs.mkdir()
    for number, file in enumerate(sorted(bundle.iterdir())):
        file.rename(blobs / str(number))
        file.symlink_to(Path("..", "blobs", str(number)))
    assert Bundle.load(bundle).manifest == Bundle.load().manifest
    (bundle / TOKENIZER).resolve().write_text("{}")
    assert "does not match the hash" in refusal(bundle)


def test_a_model_of_another_codebook_is_refused(bundle: Path) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["codebook"]["dimensions"][0]["labels"].append("other")
    edit(bundle, codebook=manifest["codebook"])
    assert "biases do not fit the codebook's labels" in refusal(bundle)
    edit(bundle, biases={})
    assert "expected" in refusal(bundle)


def test_bytes_that_are_no_model(bundle: Path) -> None:
    (bundle / MODEL).write_bytes(b"no model")
    files = json.loads((bundle / MANIFEST).read_text())["files"]
    edit(bundle, files={**files, MODEL: hashlib.sha256(b"no model").hexdigest()})
    assert "model.onnx cannot be loaded" in refusal(bundle)


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of up to 127 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


@pytest.mark.parametrize(
    "key",
    [
        field(1, b"location"),
        b"\x0a\x88\x00location",
        b"\x8a\x80\x00\x08location",
        b"\x8a\x80\x80\x80\x10\x08location",
    ],
)
def test_weights_in_other_files_are_refused(
    bundle: Path, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A tensor of two floats, added to the model's graph; onnxruntime would read it from here.
    place = field(13, key + field(2, b"weights.bin"))
    tensor = b"\x08\x02\x10\x01" + field(8, b"w") + place + b"\x70\x01"
    content = (bundle / MODEL).read_bytes() + field(7, field(5, tensor))
    (bundle / MODEL).write_bytes(content)
    (bundle / "weights.bin").write_bytes(bytes(8))
    files = json.loads((bundle / MANIFEST).read_text())["files"]
    edit(bundle, files={**files, MODEL: hashlib.sha256(content).hexdigest()})
    monkeypatch.chdir(bundle)
    assert "keeps weights in other files" in refusal(bundle)


def test_a_window_that_the_model_cannot_take_is_told(bundle: Path) -> None:
    edit(bundle, window={"max_length": 2000, "stride": 40})
    tagger = Tagger.load(bundle)
    assert tagger("We will never agree.")
    with pytest.raises(BundleError, match=r"fails on a batch of \d x 2000 tokens") as caught:
        tagger("We will never agree. " * 800)
    assert "\n" not in str(caught.value)


def test_logits_that_are_no_numbers_are_refused(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def run(self, names: None, feed: dict[str, Any]) -> list[Any]:
            return [np.full((len(feed["input_ids"]), 11), np.nan, dtype=np.float32)]

    tagger = Tagger.load(bundle)
    monkeypatch.setattr(tagger._bundle.session, "_session", Broken())
    with pytest.raises(BundleError, match="logits that are no numbers"):
        tagger("We will never agree.")
