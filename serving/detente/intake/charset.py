"""Which encoding a text is in: UTF-8, what its first bytes or its page declare, or a guess."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from detente.errors import InputError
from detente.files import reading
from detente.intake.source import Say

# A longer mark is looked for first: that of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
# The encodings that news is found in. With all of Python's, short texts are taken for rare ones.
_GUESSED = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("koi8_r", "gb18030", "big5", "cp932", "euc_jp", "cp949"),
]
# What pages declare, under the names of Python's codecs, and what browsers read it as.
_DECLARED = {codecs.lookup(name).name: name for name in _GUESSED} | {
    **{"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874"},
    **{"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"},
    **{f"iso8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{"koi8-u": "koi8-u", "cp1258": "cp1258", "cp874": "cp874", "mac-roman": "mac-roman"},
    **{"big5hkscs": "big5hkscs", "iso2022_jp": "iso2022_jp"},
}
_DECLARATION = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_SAMPLE = 1 << 20  # bytes of a table that decide on its encoding
_START = 8192  # bytes of it that tell whether it is text at all

UNDECODED = "\udcff"  # stands in a table's text for bytes that are not in its encoding
_MARKING = "detente.undecoded"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODED, error.end


codecs.register_error(_MARKING, _mark)


def decode(raw: bytes, place: str, say: Say, *, declared: str | None = None) -> str:
    """Return the text of a whole file; guesses are said aloud.

    Args:
        raw: the file's bytes.
        place: the file's name for messages.
        say: called with each guess.
        declared: the encoding that the file gives itself; UTF-8 goes before it.

    Raises:
        InputError: the file is binary, or in no encoding that can be told.
    """
    # A mark alone does not make all that follows UTF-8.
    raw = raw.removeprefix(codecs.BOM_UTF8)
    encoding = _encoding(raw, place, say, declared)
    try:
        return raw.decode(encoding, "replace" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{place}: not {encoding.upper()} all through (byte {error.start}); "
            "convert it first, for example with: iconv -f cp1252 -t utf-8"
        ) from None


def declared_charset(raw: bytes) -> str | None:
    """Return the encoding that a web page's head declares, if it does."""
    match = _DECLARATION.search(raw[:4096])
    return match[1].decode("ascii", "replace") if match else None


@contextmanager
def opening(path: Path, say: Say) -> Iterator[TextIO]:
    """Open a table of lines as text, line ends as they stand.

    Its first bytes decide on the encoding; where later bytes are not in it, the text holds
    `UNDECODED`.

    Raises:
        InputError: the file cannot be read, is binary, or in no encoding that can be told.
    """
    with reading(path) as stream:
        head = _sample(stream)
        encoding = _encoding(head, str(path), say, table=True)
        stream.seek(0)
        with io.TextIOWrapper(stream, encoding, errors=_MARKING, newline="") as text:
            yield text


def _sample(stream: BinaryIO) -> bytes:
    """Return the first bytes of a table; what a .gz file that is cut short still has."""
    parts: list[bytes] = []
    with suppress(EOFError):  # met again where the rows end
        while part := stream.read1(_SAMPLE - sum(map(len, parts))):  # type: ignore[attr-defined]
            parts.append(part)
    return b"".join(parts)


def _encoding(
    raw: bytes, place: str, say: Say, declared: str | None = None, *, table: bool = False
) -> str:
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding
    if b"\0" in (raw[:_START] if table else raw):  # a table may have one bad row far down
        raise InputError(f"{place}: is a binary file; expected text")
    cut = table and len(raw) == _SAMPLE
    known = _declared(declared)
    # Escapes are how ISO 2022 is told from the UTF-8 that it always is as well.
    if _is(raw, "utf-8", cut) and not (known == "iso2022_jp" and b"\x1b" in raw):
        return "utf-8"
    if known and _is(raw, known, cut):
        return known
    if broken := _broken(raw):
        say(f"{place}: damaged UTF-8 ({broken} of its characters cannot be read)")
        return "utf-8"
    return _guess(raw, place, say, cut=cut)


def _is(raw: bytes, encoding: str, cut: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(raw, final=not cut)
    except UnicodeDecodeError:
        return False
    return True


def _declared(label: str | None) -> str | None:
    try:
        return _DECLARED.get(codecs.lookup(label).name) if label else None
    except LookupError:
        return None


def _broken(raw: bytes) -> int:
    """Return how many characters of a text that is mostly UTF-8 are broken; 0: it is not UTF-8."""
    text = raw.decode("utf-8", _MARKING)
    broken = text.count(UNDECODED)
    whole = len(text) - len(text.encode("ascii", "ignore")) - broken
    return broken if whole > 9 * broken else 0


def _guess(raw: bytes, place: str, say: Say, *, cut: bool) -> str:
    from charset_normalizer import from_bytes

    # A character cut in half at the end would rule its encoding out.
    sample = raw[: raw.rfind(b"\n") + 1] or raw if cut else raw
    matches = from_bytes(sample, cp_isolation=_GUESSED)
    best = matches.best()
    if best is None:
        raise InputError(
            f"{place}: is neither UTF-8 nor in another encoding that can be told; "
            "convert it first, for example with: iconv -f cp1252 -t utf-8"
        )
    encoding = best.encoding
    for match in matches:
        alike = (match.chaos, match.coherence) == (best.chaos, best.coherence)
        if alike and "cp1252" in match.could_be_from_charset:
            encoding = "cp1252"  # by far the most common in English news
    say(f"{place}: not UTF-8; read as {encoding}, which is a guess")
    return encoding
