from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from detente import Codebook
from detente.article import Article, Statement
from detente.picture import article_text, save_svg, tag_table


def article(*statements: str, between: str) -> Article:
    text = between.join(statements)
    made = []
    for number, statement in enumerate(statements, start=1):
        start = text.index(statement)
        made.append(Statement(number, start, start + len(statement), statement, ()))
    return Article("a.txt", text, tuple(made))


@pytest.mark.parametrize(
    ("holder", "party", "shown"),
    [("it", "JPN", ["it", "= JPN"]), ("The union", "the union", ["The union"])],
)
def test_a_table_tells_whom_a_holder_stands_for(
    tmp_path: Path, codebook: Codebook, holder: str, party: str, shown: list[str]
) -> None:
    labels = {d.name: d.label_names[0] for d in codebook.dimensions}
    sure = {f"{d.name}_probability": 0.9 for d in codebook.dimensions}
    row = {"article": "a.txt", "statement": 1, "text": "word " * 40, "holder": holder}
    table = tag_table([{**row, "party": party, **labels, **sure}], codebook)
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    console.print(table)
    lines = console.export_text().splitlines()
    head = next(line for line in lines if "holder" in line)
    holders = slice(head.index("holder"), head.index(codebook.dimensions[0].name))
    assert max(map(len, lines)) <= 100
    assert [cell for line in lines[4:] if (cell := line[holders].strip())] == shown


def test_line_ends_part_sentences_whatever_they_are(codebook: Codebook) -> None:
    for between in ("\n\n", "\r\n\r\n", "\r\r"):
        tagged = article("Norway agreed.", "Japan said no.", between=between)
        assert article_text(tagged, codebook).plain == "Norway agreed.\n\nJapan said no."


def test_a_picture_is_xml_whatever_the_text(tmp_path: Path, codebook: Codebook) -> None:
    tagged = article("Norway \uffff<agreed> \x1b\ud800.", "Japan said no.", between=" \ufffe\x00 ")
    path = tmp_path / "a.svg"
    save_svg(article_text(tagged, codebook), path, title="detente show \x01\x1b\uffff&.txt")
    said = "".join(ElementTree.fromstring(path.read_text(encoding="utf-8")).itertext())
    said = said.replace("\xa0", " ")
    assert "Norway <agreed> ." in said
    assert "detente show &.txt" in said
