"""détente reads negotiation positions from news text.

>>> from detente import Tagger
>>> tagger = Tagger.load()
>>> reading = tagger("Norway is now taking a softer line than in spring.", holder="Norway")
>>> print(reading.stance.label, reading.sequencing.label, reading.shift.label)  # doctest: +SKIP
"""

from importlib.metadata import version

__version__ = version("detente")

from detente.article import Article, Holder, Mention, Statement
from detente.codebook import Codebook
from detente.errors import DetenteError
from detente.evidence import Evidence
from detente.intake.reader import read_articles
from detente.intake.source import Columns, Failure, Source
from detente.reading import Prediction, Reading
from detente.tagger import Tagger

__all__ = [
    "Article",
    "Codebook",
    "Columns",
    "DetenteError",
    "Evidence",
    "Failure",
    "Holder",
    "Mention",
    "Prediction",
    "Reading",
    "Source",
    "Statement",
    "Tagger",
    "__version__",
    "read_articles",
]
