"""The model bundle: a folder with an int8 ONNX model, its tokenizer, bundle.json and a card."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator
from tokenizers import Tokenizer

from detente.codebook import Codebook
from detente.encoding import PairEncoder
from detente.errors import BundleError, InputError
from detente.files import parse_object, read_text, replacing
from detente.gate import Gate
from detente.mask import Mask
from detente.parties.gazetteer import Gazetteer
from detente.session import Session

FORMAT = 1
MANIFEST = "bundle.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
GATE = "gate.json"
CARD = "README.md"
DEFAULT = Path(__file__).parent / "models" / "default"

_LEAST_STEP = 8  # tokens of a window beyond those it shares, special tokens counted
_Temperature = Annotated[float, Field(ge=0.01, le=100)]
_Bias = Annotated[float, Field(ge=-10, le=10)]
_Probability = Annotated[float, Field(ge=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Model):
    """How statements are cut to the model's input."""

    max_length: int = Field(ge=16, le=8192)
    stride: int = Field(ge=0)
    pad_id: int = Field(0, ge=0)
    mask_names: bool = False

    @model_validator(mode="after")
    def _moves_on(self) -> Window:
        if self.stride > self.max_length - _LEAST_STEP:
            raise ValueError(f"stride must be at least {_LEAST_STEP} below max_length")
        return self


class EncoderSource(_Model):
    """The pretrained encoder that was fine-tuned."""

    source: str
    sha256: str


class CorpusSource(_Model):
    """The records the model was made from, and what each negotiation was used for.

    `articles` names annotated articles it was trained on, too; older bundles do not tell. `taught`
    names the negotiations that the larger model was trained on whose readings it learnt from.
    """

    sha256: str
    records: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    articles: tuple[str, ...] | None = None
    taught: tuple[str, ...] = ()

    @property
    def seen(self) -> frozenset[str]:
        """The negotiations that shaped the model, in training, calibration or its teacher's."""
        return frozenset((*self.train, *self.validation, *self.taught))


class Manifest(_Model):
    """What `bundle.json` holds.

    `teacher` names the run whose readings the model learnt from. Of each dimension there are the
    logits' temperature, what is added to each label's then, the probability below which to
    abstain, and the least probability of a label in a set.
    """

    format: PositiveInt
    name: str
    package_version: str
    codebook: Codebook
    window: Window
    temperatures: dict[str, _Temperature]
    biases: dict[str, tuple[_Bias, ...]] = {}
    thresholds: dict[str, _Probability]
    set_thresholds: dict[str, _Probability]
    encoder: EncoderSource
    teacher: str | None = None
    corpus: CorpusSource
    metrics: dict[str, Any] = {}
    files: dict[str, str]

    @property
    def digest(self) -> str:
        """A SHA-256 of all it says, the hashes of the model's files among it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @model_validator(mode="after")
    def _fits_the_codebook(self) -> Manifest:
        names = {dimension.name for dimension in self.codebook.dimensions}
        for field in ("temperatures", "thresholds", "set_thresholds"):
            if set(getattr(self, field)) != names:
                raise ValueError(f"{field} do not name the codebook's dimensions")
        sizes = {dimension.name: len(dimension.labels) for dimension in self.codebook.dimensions}
        if self.biases and {name: len(own) for name, own in self.biases.items()} != sizes:
            raise ValueError("biases do not fit the codebook's labels")
        if not {MODEL, TOKENIZER} <= set(self.files):
            raise ValueError(f"files must name {MODEL} and {TOKENIZER}")
        return self


class Bundle:
    """A loaded bundle. Use `Bundle.load`."""

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        session: Session,
        encoder: PairEncoder,
        gate: Gate | None = None,
    ):
        self.path = path
        self.manifest = manifest
        self.session = session
        self.encoder = encoder
        self.gate = gate

    @classmethod
    def load(cls, path: str | Path = DEFAULT, *, threads: int = 0) -> Bundle:
        """Load a bundle folder; every file is checked against its hash first.

        A file may be a link to another place, as in the snapshots of the Hugging Face cache.

        Args:
            path: the folder.
            threads: threads of one inference call; 0 leaves the choice to onnxruntime.

        Raises:
            BundleError: no such folder, a missing file, a hash that does not match, a format
                newer than this version reads, or a model that does not fit its codebook, tokenizer
                or window, or has weights in files of its own.
        """
        path = Path(path)
        if not path.is_dir():
            raise BundleError(f"{path}: no such model folder")
        manifest = read_manifest(path)
        contents = {
            name: _read_checked(path, name, digest) for name, digest in manifest.files.items()
        }
        window = manifest.window
        try:
            tokenizer = Tokenizer.from_buffer(contents[TOKENIZER])
            encoder = pair_encoder(tokenizer, window)
        except Exception as error:
            # The tokenizers library raises a bare Exception.
            raise BundleError(
                f"{path / TOKENIZER}: is no tokenizer, or none for this window ({error})"
            ) from error
        if tokenizer.id_to_token(window.pad_id) is None:
            raise BundleError(
                f"{path / MANIFEST}: window.pad_id: {window.pad_id} is no token of {TOKENIZER}"
            )
        try:
            session = Session(
                contents[MODEL], manifest.codebook.size, threads=threads, pad_id=window.pad_id
            )
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from error
        gate = _read_gate(path, contents[GATE]) if GATE in contents else None
        return cls(path, manifest, session, encoder, gate)


def pair_encoder(tokenizer: Tokenizer, window: Window) -> PairEncoder:
    """Return what turns statements into a model's input, as its window says."""
    mask = Mask(Gazetteer.load()) if window.mask_names else None
    return PairEncoder(tokenizer, window.max_length, window.stride, mask)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a bundle folder.

    Raises:
        BundleError: it is missing, broken, or of a newer format.
    """
    place = path / MANIFEST
    try:
        value = parse_object(read_text(place), str(place))
    except InputError as error:
        raise BundleError(str(error)) from None
    version = value.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise BundleError(
            f"{place}: format {version} is newer than this version of detente reads ({FORMAT}); "
            "upgrade with: pip install -U detente"
        )
    try:
        return Manifest.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "manifest"
        message = first["msg"].removeprefix("Value error, ")
        raise BundleError(f"{place}: {key}: {message}") from None


def _read_gate(bundle: Path, content: bytes) -> Gate:
    try:
        return Gate.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(f"{bundle / GATE}: is no gate ({first['msg']})") from None


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write `bundle.json` into a bundle folder, atomically."""
    with replacing(path / MANIFEST) as temporary:
        temporary.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_checked(bundle: Path, name: str, digest: str) -> bytes:
    path = bundle / name
    if path.parent != bundle:
        raise BundleError(f"{path}: lies outside the bundle")
    try:
        content = path.read_bytes()
    except (OSError, ValueError):  # the latter of a name that no file can have
        raise BundleError(f"{path}: is missing from the bundle; export the model again") from None
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise BundleError(
            f"{path}: does not match the hash in {MANIFEST} (found {found[:12]}…, expected "
            f"{digest[:12]}…); the file is damaged or was changed: fetch or export it again"
        )
    return content
