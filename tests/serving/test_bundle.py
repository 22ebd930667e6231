from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

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
    assert sum(file.stat().st_size for file in DEFAULT.iterdir()) < 25_000_000
    assert not set(bundle.manifest.corpus.train) & set(bundle.manifest.corpus.test)


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
    edit(bundle, files={**files, "../outside": "0"})
    assert "lies outside the bundle" in refusal(bundle)


def test_a_model_of_another_codebook_is_refused(bundle: Path) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["codebook"]["dimensions"][0]["labels"].append("other")
    edit(bundle, codebook=manifest["codebook"])
    assert "expected" in refusal(bundle)


def test_bytes_that_are_no_model(bundle: Path) -> None:
    import hashlib

    (bundle / MODEL).write_bytes(b"no model")
    files = json.loads((bundle / MANIFEST).read_text())["files"]
    edit(bundle, files={**files, MODEL: hashlib.sha256(b"no model").hexdigest()})
    assert "model.onnx cannot be loaded" in refusal(bundle)
