"""The tagger: statements or articles in, readings out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detente.article import Article, Holder, Statement
from detente.bundle import DEFAULT, Bundle, Manifest
from detente.codebook import Codebook, Dimension
from detente.errors import InputError
from detente.evidence import explain as explain_reading
from detente.intake.source import Failure, Source
from detente.parties.actors import read_actors
from detente.progress import tracking
from detente.reading import Prediction, Reading
from detente.session import FloatArray

if TYPE_CHECKING:
    from detente.discourse import Discourse, Told
    from detente.holder import Candidate


_LONGEST_HOLDER = 100  # characters, where the statement is shorter
_SHORT = 40  # characters; longer words for a holder may leave no room for the statement


class Tagger:
    """Reads stance, sequencing and shift, or whatever dimensions its bundle was trained on.

    Use `Tagger.load`. One tagger can be shared between threads.
    """

    def __init__(self, bundle: Bundle, *, actors: Path | None = None) -> None:
        self._bundle = bundle
        self._actors = actors
        self._reader: Discourse | None = None
        self._lock = Lock()

    @classmethod
    def load(
        cls,
        source: str | Path | None = None,
        *,
        threads: int = 0,
        actors: str | Path | None = None,
    ) -> Tagger:
        """Load a model.

        Args:
            source: nothing for the bundled model, a bundle folder, or ``models:/name@alias``
                for a registered one (needs ``detente[train]``).
            threads: threads of one inference call; 0 leaves the choice to onnxruntime.
            actors: a YAML file of parties to know besides the bundled ones.

        Raises:
            BundleError: the bundle is missing, damaged, or of a newer format.
            InputError: an unknown kind of source, or the file of actors is missing or broken.
        """
        if actors:
            read_actors(actors)  # a tagger that fails at its first article helps nobody
        bundle = Bundle.load(locate_model(source), threads=threads)
        return cls(bundle, actors=Path(actors) if actors else None)

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest: codebook, calibration, sources, metrics."""
        return self._bundle.manifest

    @property
    def codebook(self) -> Codebook:
        """The codebook the model was trained on."""
        return self._bundle.manifest.codebook

    def __call__(
        self, statement: str, holder: str | None = None, *, explain: bool = False
    ) -> Reading:
        """Read one statement; see `classify`."""
        return self.classify([statement], [holder], explain=explain)[0]

    def classify(
        self,
        statements: Sequence[str],
        holders: Sequence[str | None] | None = None,
        *,
        batch_size: int = 32,
        explain: bool = False,
        progress: bool = False,
        places: Sequence[str] | None = None,
    ) -> list[Reading]:
        """Read many statements.

        A statement longer than the model's window is read in overlapping windows, and each
        dimension is answered by the window that takes the clearest position.

        Args:
            statements: texts of any length.
            holders: the party whose position is asked for, one a statement; None leaves it open.
            batch_size: statements run together.
            explain: give the predictions that take a position the words that carry them, see
                `detente.evidence`. Each of a statement's words costs as much as reading it.
            progress: show a progress bar on stderr.
            places: what errors call the statements, by default by their numbers.

        Returns:
            One reading a statement, in the order given.

        Raises:
            InputError: an empty statement, a holder too long to be a party's name, or one with
                too many words for the model's window.
        """
        if isinstance(statements, str):
            raise InputError("classify takes a list of statements; for one, call the tagger itself")
        if isinstance(holders, str):
            raise InputError("classify takes a list of holders, one a statement; found a string")
        if holders is None:
            holders = [None] * len(statements)
        if len(holders) != len(statements):
            raise InputError(
                f"{len(statements)} statements but {len(holders)} holders; give one holder "
                "(or None) for each statement"
            )
        _check_batch_size(batch_size)
        pairs = list(zip(statements, holders, strict=True))
        if places is None:
            places = [f"statement {number}" for number in range(1, len(pairs) + 1)]
        for (statement, holder), place in zip(pairs, places, strict=True):
            check_pair(statement, holder, place)
        readings = self._classify(pairs, batch_size, progress, places)
        return self._explain(readings, batch_size, progress) if explain else readings

    def _classify(
        self,
        pairs: Sequence[tuple[str, str | None]],
        batch_size: int,
        progress: bool = False,
        places: Sequence[str] = (),
    ) -> list[Reading]:
        windows, owners = [], []
        for number, (statement, holder) in enumerate(pairs):
            try:
                found = self._bundle.encoder.windows(statement, holder)
            except InputError as error:
                place = f"{places[number]}: " if places else ""
                raise InputError(f"{place}{error}") from None
            windows += found
            owners += [number] * len(found)
        with tracking("reading", len(windows), show=progress) as advance:
            logits = self._bundle.session.logits(windows, batch_size=batch_size, advance=advance)
        rows: list[list[FloatArray]] = [[] for _ in pairs]
        for owner, row in zip(owners, logits, strict=True):
            rows[owner].append(row)
        return [
            self._reading(statement, holder, np.stack(row))
            for (statement, holder), row in zip(pairs, rows, strict=True)
        ]

    def _explain(
        self, readings: Sequence[Reading], batch_size: int, progress: bool = False
    ) -> list[Reading]:
        def classify(pairs: Sequence[tuple[str, str | None]]) -> list[Reading]:
            return self._classify(pairs, batch_size)

        explained = []
        with tracking("explaining", len(readings), show=progress) as advance:
            for reading in readings:
                if reading.takes_position:
                    windows = self._bundle.encoder.windows(reading.text, reading.holder)
                    reading = explain_reading(reading, classify, is_long=len(windows) > 1)
                explained.append(reading)
                advance(1)
        return explained

    def tag(
        self,
        article: str | Source,
        *,
        name: str = "",
        batch_size: int = 32,
        explain: bool = False,
    ) -> Article:
        """Tag every statement of an article for every party whose position it may tell.

        Statements that surely take no position, and those in which no party is found, are
        skipped: they have no holders.

        Args:
            article: its text, or what `detente.read_articles` yields.
            name: what the article is called in tables.
            batch_size: statements run together.
            explain: give the positions the words that carry them, see `classify`; their offsets
                index the statement's text.

        Returns:
            The article; all offsets index its text as given.

        Raises:
            InputError: the text is not Unicode, or a party's name has too many words for the
                model's window.
        """
        _check_batch_size(batch_size)
        source = article if isinstance(article, Source) else Source(name, article)
        return self._tag(source, source.name or "article", batch_size, explain)

    def _tag(self, source: Source, place: str, batch_size: int, explain: bool) -> Article:
        if not isinstance(source.text, str):
            raise InputError(
                f"{place}: the text must be a string, not {type(source.text).__name__}"
            )
        refuse_halves(source.text, place)
        told = self._discourse(source.text)
        pairs = [
            (number, source.text[slice(*statement.span)], candidate)
            for number, statement in enumerate(told)
            for candidate in statement.candidates
        ]
        readings = self._classify(
            [(text, self._words(text, candidate)) for _, text, candidate in pairs],
            batch_size,
            places=[f"{place}: statement {number + 1}" for number, _, _ in pairs],
        )
        if explain:
            readings = self._explain(readings, batch_size)
        holders: list[list[Holder]] = [[] for _ in told]
        for (number, _, candidate), reading in zip(pairs, readings, strict=True):
            holders[number].append(Holder(candidate.mention, reading, candidate.party.id))
        statements = tuple(
            Statement(
                number,
                *statement.span,
                source.text[slice(*statement.span)],
                tuple(holders[number - 1]),
                statement.attribution,
                statement.speaker,
            )
            for number, statement in enumerate(told, start=1)
        )
        return Article(
            source.name,
            source.text,
            statements,
            title=source.title,
            date=source.date,
            byline=source.byline,
            codebook=self.codebook,
        )

    def _words(self, statement: str, candidate: Candidate) -> str:
        """Return what stands for a party, or its name where that leaves the statement no room."""
        words = candidate.mention.text
        if len(words) <= _SHORT or self._bundle.encoder.holds(statement, words):
            return words
        return candidate.party.name

    def tag_many(
        self,
        articles: Iterable[str | Source],
        *,
        batch_size: int = 32,
        explain: bool = False,
        on_failure: Callable[[Failure], None] | None = None,
    ) -> Iterator[Article]:
        """Tag articles one after the other, each drawn only when it is its turn.

        Args:
            articles: texts, or what `detente.read_articles` yields.
            batch_size: statements run together.
            explain: see `tag`.
            on_failure: called with each article that cannot be tagged, before the tagging goes
                on; one without a name is called by its number.

        Returns:
            An iterator over the tagged articles, in the order given.

        Raises:
            InputError: one article instead of several; or, without ``on_failure``, see `tag`.
        """
        if isinstance(articles, str | Source):
            raise InputError("tag_many takes several articles; for one, call tag")
        _check_batch_size(batch_size)
        return self._tag_many(articles, batch_size, explain, on_failure)

    def _tag_many(
        self,
        articles: Iterable[str | Source],
        batch_size: int,
        explain: bool,
        on_failure: Callable[[Failure], None] | None,
    ) -> Iterator[Article]:
        for number, article in enumerate(articles, start=1):
            source = article if isinstance(article, Source) else Source("", article)
            place = source.name or f"article {number}"
            try:
                tagged = self._tag(source, place, batch_size, explain)
            except Exception as error:
                if on_failure is None:
                    raise
                on_failure(Failure.of(place, error))
            else:
                yield tagged

    def _discourse(self, text: str) -> list[Told]:
        from detente.discourse import Discourse

        with self._lock:
            if self._reader is None:
                self._reader = Discourse.load(self._actors)
        gate = self._bundle.gate
        return self._reader.read(text, gate.passes if gate else lambda _: True)

    def _reading(self, text: str, holder: str | None, logits: FloatArray) -> Reading:
        slices = self.codebook.slices
        return Reading(
            text,
            holder,
            {
                dimension.name: self._predict(dimension, logits[:, slices[dimension.name]])
                for dimension in self.codebook.dimensions
            },
        )

    def _predict(self, dimension: Dimension, logits: FloatArray) -> Prediction:
        name = dimension.name
        probabilities = calibrate(
            logits, self.manifest.temperatures[name], self.manifest.biases.get(name, ())
        )
        chosen = _join_windows(probabilities, dimension)
        best = int(chosen.argmax())
        inside = in_label_set(chosen, self.manifest.set_thresholds[dimension.name])
        return Prediction(
            label=dimension.label_names[best],
            probability=float(chosen[best]),
            probabilities=dict(zip(dimension.label_names, chosen.tolist(), strict=True)),
            takes_position=dimension.label_names[best] != dimension.no_position,
            abstained=bool(chosen[best] < self.manifest.thresholds[dimension.name]),
            label_set=tuple(itertools.compress(dimension.label_names, inside.tolist())),
        )


def check_pair(statement: str, holder: str | None, place: str) -> None:
    """Refuse a statement or holder that cannot be read.

    A holder may be longer than its statement, which may only imply it, but not much longer than
    names are.

    Raises:
        InputError: names ``place``.
    """
    if not isinstance(statement, str):
        raise InputError(f"{place}: the text must be a string, not {type(statement).__name__}")
    if not statement.strip():
        raise InputError(f"{place}: the text is empty; give a sentence or a quotation")
    refuse_halves(statement, place)
    if holder is not None and not isinstance(holder, str):
        raise InputError(f"{place}: the holder must be text, not {type(holder).__name__}")
    refuse_halves(holder or "", place)
    if holder and len(holder) > max(len(statement), _LONGEST_HOLDER):
        raise InputError(
            f"{place}: the holder is longer than the text ({len(holder)} against "
            f"{len(statement)} characters); are the two swapped?"
        )


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}; it must be 1 or more")


def refuse_halves(text: str, place: str) -> None:
    """Refuse a text with half a character in it, which is not Unicode text.

    Raises:
        InputError: names ``place``.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{place}: half of a character at position {error.start}") from None


def calibrate(logits: FloatArray, temperature: float, biases: Sequence[float]) -> FloatArray:
    """Return probabilities, shape (rows, labels); without biases of labels the list is empty."""
    scaled = logits / temperature
    return softmax(scaled + np.array(biases, dtype=scaled.dtype) if biases else scaled)


def softmax(logits: FloatArray) -> FloatArray:
    """Return probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def in_label_set(probabilities: NDArray[np.floating[Any]], least: float) -> NDArray[np.bool_]:
    """Return which labels are in their set: those not below ``least``, and the most probable.

    Args:
        probabilities: labels along the last axis.
        least: the bundle's threshold for sets.
    """
    top = probabilities.max(axis=-1, keepdims=True)
    inside: NDArray[np.bool_] = probabilities >= np.minimum(least, top)
    return inside


def _join_windows(probabilities: FloatArray, dimension: Dimension) -> FloatArray:
    if len(probabilities) == 1:
        joined: FloatArray = probabilities[0]
    elif dimension.no_position is None:
        joined = probabilities.mean(axis=0)
    else:
        quiet = probabilities[:, dimension.index(dimension.no_position)]
        joined = probabilities[quiet.argmin()]
    return joined


def locate_model(source: str | Path | None) -> Path:
    """Return the folder of a model, see `Tagger.load`; a registered one is fetched.

    Raises:
        InputError: an unknown kind of source, or one that needs a package that is not there.
    """
    if source is None:
        return DEFAULT
    scheme, colon, _ = str(source).partition(":/")
    if colon and len(scheme) > 1:
        found = entry_points(group="detente.sources", name=scheme)
        if not found:
            raise InputError(f"{source}: unknown kind of source '{scheme}:'; give a bundle folder")
        try:
            fetch = next(iter(found)).load()
        except ModuleNotFoundError as error:
            raise InputError(
                f"{source}: needs {error.name}; install it with: pip install 'detente[train]'"
            ) from None
        folder: Path = fetch(str(source))
        return folder
    return Path(source)
