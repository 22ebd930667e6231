"""Articles in .docx and .pdf files; the extra `detente[articles]` reads them."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from typing import Any

from detente.errors import InputError
from detente.files import LARGEST, too_large
from detente.intake.source import Say, Source

# Neither format says when an article appeared: their days are those of the export, their
# authors those who ran it. Both are left out.

logging.getLogger("pypdf").addHandler(logging.NullHandler())  # a failure says it

_OLE = b"\xd0\xcf\x11\xe0"  # an encrypted .docx, as a .doc, is of the format before it
# All that a .docx may use. Python decompresses others in one go, however much that makes.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNREAD = ("word/media/", "word/embeddings/", "word/fonts/")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SIGNS = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n", f"{_WORD}cr": "\n", f"{_WORD}noBreakHyphen": "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_docx(raw: bytes, place: str, say: Say) -> Source:
    """Return the text of a .docx file: its paragraphs, parted by empty lines.

    Cells of tables and text boxes are paragraphs; inserted text counts, deleted text does not.

    Raises:
        InputError: the extra is not installed; the file is encrypted, damaged or empty.
    """
    try:
        import docx
    except ImportError:
        raise _missing(place, ".docx") from None
    if raw.startswith(_OLE):
        raise InputError(f"{place}: is encrypted, or an old .doc; save it as a plain .docx first")
    try:
        document = docx.Document(_checked_archive(raw, place))
        text = "\n\n".join(_paragraphs(document.element.body))
        title = document.core_properties.title.strip()
    except InputError:
        raise
    except Exception as error:  # files are untrusted, and the parser fails in any way it likes
        raise InputError(f"{place}: no readable .docx ({_name(error)})") from None
    if not text:
        raise InputError(f"{place}: holds no text")
    return Source(place, text, title=title or None)


def read_pdf(raw: bytes, place: str, say: Say) -> Source:
    """Return the text of a .pdf file, page after page, lines as they are set.

    Raises:
        InputError: the extra is not installed; the file is encrypted, damaged, or holds no text.
    """
    try:
        import pypdf
        import pypdf.errors
    except ImportError:
        raise _missing(place, ".pdf") from None
    try:
        reader = pypdf.PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(f"{place}: is encrypted; save it without a password first")
        text = _joined(reader, place)
        title = _sound(str(reader.metadata.title or "")) if reader.metadata else ""
    except InputError:
        raise
    except pypdf.errors.DependencyError:  # of the package that decrypts
        raise InputError(f"{place}: is encrypted; save it without a password first") from None
    except Exception as error:  # as above
        raise InputError(f"{place}: no readable .pdf ({_name(error)})") from None
    if not text.strip():
        raise InputError(f"{place}: holds no text; a scan needs text recognition (OCR) first")
    return Source(place, text, title=title.strip() or None)


def _missing(place: str, ending: str) -> InputError:
    return InputError(f"{place}: to read {ending}, run: pip install 'detente[articles]'")


def _name(error: Exception) -> str:
    # Parsers' messages may span lines and quote the file; the kind of error says enough.
    return type(error).__name__


def _checked_archive(raw: bytes, place: str) -> io.BytesIO:
    """Return the archive decompressed, or refuse it; an archive's own word on sizes may lie."""
    archive, left = io.BytesIO(), LARGEST
    with zipfile.ZipFile(io.BytesIO(raw)) as packed, zipfile.ZipFile(archive, "w") as plain:
        for part in packed.infolist():
            if part.compress_type not in _PACKINGS:
                raise zipfile.BadZipFile
            content = b""
            if not part.filename.startswith(_UNREAD):
                with packed.open(part) as stream:
                    content = stream.read(left + 1)
            left -= len(content)
            if left < 0:
                raise too_large(place)
            plain.writestr(part.filename, content)
    archive.seek(0)
    return archive


def _paragraphs(body: Any) -> Iterator[str]:
    for fallback in list(body.iter(_FALLBACK)):  # what a text box says, once more
        fallback.getparent().remove(fallback)
    texts: dict[Any, list[str]] = {}
    for node in body.iter(f"{_WORD}p", f"{_WORD}t", *_SIGNS):
        if node.tag == f"{_WORD}p":
            texts[node] = []
            continue
        # A text box lies within the paragraph that it is anchored in.
        paragraph = next(node.iterancestors(f"{_WORD}p"), None)
        if paragraph is not None:
            texts[paragraph].append(_SIGNS.get(node.tag) or node.text or "")
    for pieces in texts.values():
        if text := "".join(pieces).strip():
            yield text


def _sound(text: str) -> str:
    # Fonts with a faulty map give NULs and halves of characters.
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _joined(reader: Any, place: str) -> str:
    pages, left = [], LARGEST
    for page in reader.pages:
        contents = page.get_contents()
        # What draws nothing takes its time, too, and pages may share it.
        left -= 0 if contents is None else len(contents.get_data())
        if left < 0:
            raise too_large(place)
        pages.append(_sound(page.extract_text()))
        left -= len(pages[-1])
        if left < 0:
            raise too_large(place)
    return "\n".join(pages)
