from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    FunnelConfig,
    FunnelModel,
)

from detente.codebook import Codebook
from detente.errors import InputError
from detente_training.encoder import load_encoder
from detente_training.model import PairClassifier

SMALL = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}


def test_an_encoder_kept_in_half_precision_is_read_in_full(
    tmp_path: Path, codebook: Codebook
) -> None:
    BertModel(BertConfig(**SMALL, intermediate_size=8)).half().save_pretrained(tmp_path)
    classifier = PairClassifier(load_encoder(tmp_path), codebook)
    words = torch.ones(1, 4, dtype=torch.int64)
    assert classifier(words, words)["logits"].dtype == torch.float32


def test_layers_are_found_whatever_an_encoder_calls_them(codebook: Codebook) -> None:
    config = DistilBertConfig(vocab_size=30, dim=8, hidden_dim=8, n_layers=2, n_heads=2)
    classifier = PairClassifier(DistilBertModel(config), codebook)
    classifier.freeze_layers(1)
    learn = {name for name, weight in classifier.named_parameters() if weight.requires_grad}
    assert any("layer.1." in name for name in learn)
    assert not any("layer.0." in name or "embeddings" in name for name in learn)


def test_layers_that_are_not_found_are_not_frozen_silently(codebook: Codebook) -> None:
    size = {"d_model": 8, "n_head": 2, "d_head": 4, "d_inner": 8}
    config = FunnelConfig(vocab_size=30, block_sizes=[2, 1], **size)
    classifier = PairClassifier(FunnelModel(config), codebook)
    with pytest.raises(InputError, match=r"training\.frozen_layers=1: .* FunnelModel"):
        classifier.freeze_layers(1)
