"""Documents in .docx and .pdf files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from detente.files import LARGEST
from detente.intake import office
from detente.intake.reader import Source
from tests.serving.test_reader import failure, read, source, write

docx = pytest.importorskip("docx")
pypdf = pytest.importorskip("pypdf")


def write_pdf(path: Path, text: str, password: str | None = None) -> Path:
    writer = pypdf.PdfWriter()
    for line in text.splitlines():
        page = writer.add_blank_page(300, 300)
        font = pypdf.generic.DictionaryObject(
            {
                pypdf.generic.NameObject("/Type"): pypdf.generic.NameObject("/Font"),
                pypdf.generic.NameObject("/Subtype"): pypdf.generic.NameObject("/Type1"),
                pypdf.generic.NameObject("/BaseFont"): pypdf.generic.NameObject("/Helvetica"),
            }
        )
        fonts = pypdf.generic.DictionaryObject({pypdf.generic.NameObject("/F1"): font})
        page[pypdf.generic.NameObject("/Resources")] = pypdf.generic.DictionaryObject(
            {pypdf.generic.NameObject("/Font"): fonts}
        )
        content = pypdf.generic.DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 10 200 Td ({line}) Tj ET".encode())
        page[pypdf.generic.NameObject("/Contents")] = writer._add_object(content)
    writer.add_metadata({"/Title": "Talks"})
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return path


def write_docx(path: Path, *paragraphs: str) -> Path:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.core_properties.title = "Talks"
    document.save(str(path))
    return path


def repack(path: Path, part: str, change: Callable[[bytes], bytes], method: int) -> None:
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", method) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)


def put_first(path: Path, paragraph: bytes) -> None:
    def change(part: bytes) -> bytes:
        return part.replace(b"<w:body>", b"<w:body>" + paragraph)

    repack(path, "word/document.xml", change, zipfile.ZIP_DEFLATED)


def test_docx(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", "Japan said “no”.", "", "The union\tleft.")
    assert source(path) == Source(str(path), "Japan said “no”.\n\nThe union\tleft.", "Talks")
    # Tracked changes: what was put in counts, what was taken out does not.
    change = (
        b'<w:p><w:ins w:id="1" w:author="x"><w:r><w:t>Put in.</w:t></w:r></w:ins>'
        b'<w:del w:id="2" w:author="x"><w:r><w:delText>Taken out.</w:delText></w:r></w:del></w:p>'
    )
    put_first(path, change)
    assert source(path).text.startswith("Put in.\n\nJapan said")
    # A text box lies within the paragraph it is anchored in, and is one of its own.
    box = (
        b'<w:p><w:r><w:pict><v:textbox xmlns:v="urn:schemas-microsoft-com:vml"><w:txbxContent><w:p>'
        b"<w:r><w:t>Photo: a pier</w:t></w:r></w:p></w:txbxContent></v:textbox></w:pict></w:r>"
        b"<w:r><w:t>The minister said no.</w:t></w:r></w:p>"
    )
    put_first(path, box)
    assert source(path).text.startswith("The minister said no.\n\nPhoto: a pier\n\nPut in.")
    document = docx.Document()
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "One.", "Two."
    document.save(str(path))
    assert source(path).text == "One.\n\nTwo."


def test_bad_docx(tmp_path: Path) -> None:
    assert "holds no text" in failure(write_docx(tmp_path / "a.docx"))
    path = write_docx(tmp_path / "b.docx", "Japan agreed.")
    path.write_bytes(path.read_bytes()[:-500])
    assert "no readable .docx" in failure(path)
    path = write_docx(tmp_path / "c.docx", "Japan agreed.")
    deep = b"<w:p>" * 5000 + b"</w:p>" * 5000
    repack(path, "word/document.xml", lambda part: part.replace(b"<w:p>", deep + b"<w:p>"), 8)
    assert "no readable .docx" in failure(path)
    with zipfile.ZipFile(tmp_path / "d.docx", "w") as packed:
        packed.writestr("readme.txt", "not a document")
    assert "no readable .docx" in failure(tmp_path / "d.docx")
    entities = b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = write_docx(tmp_path / "e.docx", "Japan agreed.")
    repack(
        path,
        "word/document.xml",
        lambda part: part.replace(b"<w:document", entities + b"<w:document").replace(
            b"Japan", b"&b;"
        ),
        8,
    )
    found, _ = read(path)
    assert "lol" not in str(found)


def test_pdf(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_pdf(tmp_path / "a.pdf", "Japan said no.\nThe union left.")
    assert source(path) == Source(str(path), "Japan said no.\nThe union left.", "Talks")
    assert "is encrypted" in failure(write_pdf(tmp_path / "b.pdf", "Japan.", "secret"))
    assert source(write_pdf(tmp_path / "c.pdf", "Japan.", "")).text == "Japan."
    assert source(write_pdf(tmp_path / "f.pdf", "Japan\\000 agreed.")).text == "Japan\ufffd agreed."
    assert "scan" in failure(write_pdf(tmp_path / "d.pdf", " "))
    cut = write(tmp_path / "e.pdf", path.read_bytes()[:300])
    assert "no readable .pdf" in failure(cut)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.docx", b"PK\x03\x04 garbage", "no readable .docx (BadZipFile)"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is encrypted, or an old .doc"),
        ("a.pdf", b"garbage", "no readable .pdf"),
        ("a.pdf", b"%PDF-1.7\n%%EOF", "no readable .pdf"),
    ],
)
def test_garbage(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    assert words in failure(write(tmp_path / name, content))


def test_pages_that_draw_much_and_say_little_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pdf(tmp_path / "a.pdf", "Japan agreed.\nJapan left.")
    assert source(path).text == "Japan agreed.\nJapan left."
    monkeypatch.setattr(office, "LARGEST", 60)
    assert "larger than" in failure(path)


def test_bombs_are_refused(tmp_path: Path) -> None:
    limit = f"larger than the {LARGEST // 10**6} MB"
    path = write_docx(tmp_path / "bomb.docx", "Japan agreed.")
    repack(path, "word/document.xml", lambda _: b" " * (LARGEST + 1), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    assert limit in failure(path)
    path = write_docx(tmp_path / "bzip.docx", "Japan agreed.")
    repack(path, "word/document.xml", lambda part: part, zipfile.ZIP_BZIP2)
    assert "no readable .docx (BadZipFile)" in failure(path)
