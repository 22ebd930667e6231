"""What the model says of one (statement, holder) pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from detente.evidence import Evidence


@dataclass(frozen=True)
class Prediction:
    """One dimension's answer.

    Attributes:
        label: the most probable label.
        probability: its calibrated probability, 0 to 1.
        probabilities: every label's probability, in the codebook's order; they sum to 1.
        takes_position: whether the label is another than the codebook's "no position".
        abstained: whether the probability lies below the bundle's threshold.
        evidence: the words that carry the label, the weightiest first. Only where an explanation
            was asked for and the label takes a position; empty also where no single word counts.
        label_set: the labels that cannot be ruled out, in the codebook's order: on statements like
            those the model was calibrated on, nine sets in ten hold the true label.
    """

    label: str
    probability: float
    probabilities: Mapping[str, float]
    takes_position: bool
    abstained: bool
    evidence: tuple[Evidence, ...] = ()
    label_set: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The answers for one (statement, holder) pair; each dimension is also an attribute.

    >>> reading.stance.label, reading.stance.probability            # doctest: +SKIP
    """

    text: str
    holder: str | None
    predictions: Mapping[str, Prediction]

    def __getattr__(self, name: str) -> Prediction:
        # Only reached for names that are no fields: the codebook's dimensions. Looking the
        # field up in __dict__ keeps copy and pickle, which probe a half-made object, working.
        predictions = self.__dict__.get("predictions", {})
        try:
            prediction: Prediction = predictions[name]
        except KeyError:
            raise AttributeError(
                f"no dimension {name!r}; this model has: {', '.join(predictions)}"
            ) from None
        return prediction

    def __iter__(self) -> Iterator[tuple[str, Prediction]]:
        return iter(self.predictions.items())

    @property
    def abstained(self) -> tuple[str, ...]:
        """The dimensions whose label is among the least certain; empty when there are none."""
        return tuple(name for name, prediction in self if prediction.abstained)

    @property
    def takes_position(self) -> bool:
        """Whether any dimension has a label other than "no position"."""
        return any(prediction.takes_position for _, prediction in self)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{dimension: {"label", "probability", "probabilities", "label_set"}}`` for JSON.

        Where there is evidence, ``"evidence"`` lists ``{"text", "start", "end", "weight"}``. Beside
        the dimensions stands ``"abstained"``, the list of those that it is least sure of.
        """
        dimensions = {
            name: {
                "label": prediction.label,
                "probability": prediction.probability,
                "probabilities": dict(prediction.probabilities),
                "label_set": list(prediction.label_set),
                **_evidence_entry(prediction),
            }
            for name, prediction in self
        }
        return {**dimensions, "abstained": list(self.abstained)}


def _evidence_entry(prediction: Prediction) -> dict[str, Any]:
    if not prediction.evidence:
        return {}
    return {"evidence": [asdict(evidence) for evidence in prediction.evidence]}
