"""Documents of one article each, and which files are read."""

from __future__ import annotations

import builtins
import datetime
import errno
import gzip
import io
import os
import pickle
import random
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import pytest

from detente.errors import InputError
from detente.files import LARGEST
from detente.intake.dates import parse_date
from detente.intake.reader import (
    Columns,
    Entry,
    Failure,
    Source,
    count_articles,
    entries,
    list_files,
    read_articles,
)

DAY = datetime.date(2003, 9, 29)
TEXT = "Japan said no. The union is now ready to meet halfway, it said.\n"
PAGE = """<!doctype html><html><head><meta charset="{charset}"><title>Talks resume | News</title>
<meta name="author" content="Zoë Roe">
<meta property="article:published_time" content="2003-09-29T10:00:00Z"></head><body>
<nav><a href="/">Home</a> <a href="/world">World</a></nav>
<article><h1>Talks resume</h1>
<p>Japan said on Monday that it would meet the union halfway at the <b>café</b>, and the union
replied that it was ready.</p>
<p>"We will not move first," the minister said in Geneva, where both sides have met since May.</p>
</article><div class="comments"><p>Comment by Fred: nonsense</p></div>
<footer>Copyright 2003 News Inc. All rights reserved.</footer></body></html>"""


def read(path: Path) -> tuple[Source | Failure, list[str]]:
    said: list[str] = []
    (entry,) = entries([path], say=said.append)
    return entry.read(said.append), said


def source(path: Path) -> Source:
    found, said = read(path)
    assert isinstance(found, Source), found
    assert said == []
    return found


def failure(path: Path) -> str:
    found, _ = read(path)
    assert isinstance(found, Failure), found
    assert found.name == str(path)
    assert found.message.startswith(f"{path}: ")
    assert "\n" not in found.message
    return found.message


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_plain_text_is_kept_as_it_stands(tmp_path: Path) -> None:
    text = "Line one.\r\nLine two.\n\n\tLast\u2028 line — done."
    for name in ("a.txt", "a.TXT", "a.txt.gz"):
        path = write(tmp_path / name, text.encode())
        assert source(path) == Source(str(path), text)
    assert source(write(tmp_path / "b.txt", b"\xef\xbb\xbf" + text.encode())).text == text
    for encoding in ("utf-16", "utf-32"):
        assert source(write(tmp_path / "c.txt", text.encode(encoding))).text == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The naïve café owner said no.", "cp1252"),
        ("“We won’t move first – ever,” he said.", "cp1252"),
        ("Министр заявил, что Россия готова к переговорам.", "cp1251"),
        ("外交部发言人说，中方愿意在平等的基础上继续谈判，但美方必须首先采取行动。", "gb18030"),
    ],
)
def test_other_encodings_are_guessed_aloud(tmp_path: Path, text: str, encoding: str) -> None:
    path = write(tmp_path / "a.txt", text.encode(encoding))
    found, said = read(path)
    assert isinstance(found, Source)
    assert found.text == text
    assert said == [f"{path}: not UTF-8; read as {encoding}, which is a guess"]
    assert read(path) == (found, said)


def test_damaged_utf8_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    raw = "“Oui,” a déclaré le ministre français à l’Élysée – enfin.".encode()
    path = write(tmp_path / "a.txt", raw + b" \xe2\x80")
    found, said = read(path)
    assert isinstance(found, Source)
    assert found.text.startswith("“Oui,” a déclaré")
    assert "damaged UTF-8 (1 of" in said[0]


@pytest.mark.usefixtures("soon")
def test_what_a_page_says_of_itself_may_be_anything(tmp_path: Path) -> None:
    said = '{"@context": "https://schema.org", "@type": "Article", "name": ["x"]}'
    page = PAGE.format(charset="utf-8").replace(
        "</head>", f'<script type="application/ld+json">{said}</script></head>'
    )
    page = page.replace("<h1>Talks resume</h1>", "<h1>Talks</h1><h1>resume</h1>")
    found, _ = read(write(tmp_path / "a.html", page.encode()))
    assert isinstance(found, Source)
    assert found.title is None or isinstance(found.title, str)
    # Their time grows with the square of a byline's length.
    page = page.replace("Zoë Roe", "A" + "-" * 3_000_000 + "b")
    found, _ = read(write(tmp_path / "a.html", page.encode()))
    assert isinstance(found, Source)
    assert found.byline is None


@pytest.mark.parametrize("ending", ["txt", "html"])
@pytest.mark.parametrize(
    "raw",
    [
        "“Oui,” a déclaré le ministre français à l’Élysée – enfin.".encode() + b" \xe2\x80",
        b"The minister left the caf\xe9 and said that Japan would never agree to it.",
    ],
)
def test_damaged_utf8_is_read_alike_with_its_mark(tmp_path: Path, ending: str, raw: bytes) -> None:
    path = tmp_path / f"a.{ending}"
    plain = read(write(path, raw))
    assert isinstance(plain[0], Source)
    assert len(plain[1]) == 1
    assert read(write(path, b"\xef\xbb\xbf" + raw)) == plain


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \n\t\n", "is empty"),
        ("a.txt", b"\xef\xbb\xbf", "is empty"),
        ("a.txt", b"a\0b", "is a binary file"),
        ("a.txt", b"a" * 100_000 + b"\0", "is a binary file"),
        ("a.txt", bytes(range(128, 256)) * 9 + b"\x81\x8d\x8f", "in another encoding"),
        ("a.txt", b"\xff\xfea\0b\0\0\xd8", "not UTF-16 all through"),
        ("a.md", b"---\ntitle: x\n---\n", "is empty"),
        ("a.html", b"", "is empty"),
        ("a.html", b"<html></html>", "no article"),
        ("a.html", b"<html><body><script>var a</script></body></html>", "no article"),
        ("a.html", b"<div>" * 100_000 + b"Japan agreed." + b"</div>" * 100_000, "no article"),
        ("a.html", b"<p>a\0b</p>", "is a binary file"),
    ],
)
def test_a_bad_document_is_one_failure(
    tmp_path: Path, name: str, content: bytes, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert words in failure(write(tmp_path / name, content))
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_files_that_vanish_or_may_not_be_read(tmp_path: Path) -> None:
    assert "no such file" in failure(tmp_path / "none.txt")
    (tmp_path / "folder.txt").mkdir()
    assert "is a folder" in failure(tmp_path / "folder.txt")


def test_files_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "closed.txt", b"text")

    def closed(*_: Any, **__: Any) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", closed)
    monkeypatch.setattr(Path, "read_bytes", closed)
    assert "permission denied" in failure(path).lower()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folders_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(InputError, match="closed: cannot be read"):
        list_files([tmp_path])
    (tmp_path / "closed").chmod(0o700)


def test_broken_gz_files(tmp_path: Path) -> None:
    packed = gzip.compress(random.Random(1).randbytes(3000).hex().encode())
    path = tmp_path / "a.txt.gz"
    path.write_bytes(packed[: len(packed) // 2])
    assert "is cut short" in failure(path)
    path.write_bytes(packed[:-4])
    assert "is cut short" in failure(path)
    path.write_bytes(b"plain text")
    assert "no .gz file" in failure(path)
    path.write_bytes(packed[:100] + b"\xff" * 50 + packed[150:])
    assert "is damaged" in failure(path)
    path.write_bytes(packed + b"rubbish after the end")
    assert "is damaged" in failure(path)
    path.write_bytes(b"")
    assert "is empty" in failure(path)


def test_bombs_are_refused(tmp_path: Path) -> None:
    limit = f"larger than the {LARGEST // 10**6} MB"
    chunk = b" " * 1_000_000
    with gzip.open(tmp_path / "bomb.txt.gz", "wb", 1) as stream:
        for _ in range(LARGEST // len(chunk) + 1):
            stream.write(chunk)
    assert limit in failure(tmp_path / "bomb.txt.gz")
    with (tmp_path / "long.txt").open("wb") as stream:
        stream.truncate(LARGEST + 1)
    assert limit in failure(tmp_path / "long.txt")


def test_web_pages(tmp_path: Path) -> None:
    path = write(tmp_path / "a.html", PAGE.format(charset="utf-8").encode())
    found = source(path)
    assert found.title == "Talks resume"
    assert found.byline == "Zoë Roe"
    assert found.date == datetime.date(2003, 9, 29)
    paragraphs = found.text.split("\n\n")
    assert paragraphs[-2].startswith("Japan said on Monday")
    assert "the café, and the union replied" in paragraphs[-2]
    assert paragraphs[-1].startswith('"We will not move first,"')
    for boilerplate in ("Home", "Copyright", "Fred"):
        assert boilerplate not in found.text
    for name in ("b.htm", "b.html.gz"):
        assert source(write(tmp_path / name, path.read_bytes())).text == found.text
    assert source(path) == found


PUBLISHED = '<meta property="article:published_time" content="2003-09-29T10:00:00Z">'


@pytest.mark.parametrize(
    ("head", "body", "is_read"),
    [
        ('<meta name="pubdate" content="29 Sep 2003">', "", True),
        ('<meta itemprop="datePublished" content="2003-09-29">', "", True),
        (
            '<script type="application/ld+json">{"@type": "NewsArticle", '
            '"dateModified": "2003-10-01", "datePublished": "2003-09-29T22:00:00-05:00"}</script>',
            "",
            True,
        ),
        ('<link rel="canonical" href="https://a.org/world/2003/09/29/talks.html">', "", True),
        ("", '<time datetime="2003-09-29T22:00:00-05:00">Monday</time>', True),
        ("", "<time>Sept. 29, 2003</time>", True),
        ("", "", False),
        ("", '<p class="date">29 September 2003</p>', False),
        ("", "<p>The deal that was signed on 29/09/2003 has lapsed.</p>", False),
        ("", '</article><aside><time datetime="2003-09-29">May 3</time></aside><article>', False),
        ("", "</article><footer>Terms, updated 29 September 2003</footer><article>", False),
        ('<meta property="article:modified_time" content="2003-09-29">', "", False),
        ("", "<p>On <time datetime='2003-09-29'>that day</time> the accord lapsed.</p>", False),
        ("", "<p>By A. Roe, <time datetime='2003-09-29'>Monday</time></p>", True),
        ('<meta name="republished_at" content="2003-09-29">', "", False),
        ('<meta name="date" content="2025-01-01">' + PUBLISHED, "", True),
        (
            '<script type="application/ld+json">{"@type": "ItemList", "itemListElement": [{'
            '"@type": "NewsArticle", "datePublished": "2019-01-01"}]}</script>'
            '<script type="application/ld+json">{"@graph": [{"@type": ["ReportageNewsArticle"], '
            '"datePublished": "2003-09-29"}]}</script>',
            "",
            True,
        ),
        (
            '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": 7}'
            '</script><script>let page = {"datePublished": "2003-09-29"};</script>',
            "",
            True,
        ),
    ],
)
def test_the_day_of_a_web_page(tmp_path: Path, head: str, body: str, is_read: bool) -> None:
    page = PAGE.format(charset="utf-8").replace("<h1>", f"{body}<h1>")
    found = source(write(tmp_path / "a.html", page.replace(PUBLISHED, head).encode()))
    assert found.date == (DAY if is_read else None)


def test_an_unclear_day_of_a_web_page_is_not_guessed_at(tmp_path: Path) -> None:
    page = PAGE.format(charset="utf-8").replace("2003-09-29T10:00:00Z", "11/02/2024")
    path = write(tmp_path / "a.html", page.encode())
    found, said = read(path)
    assert isinstance(found, Source)
    assert found.date is None
    assert said == [f"{path}: date '11/02/2024' cannot be read, left empty"]


NEXIS = "\n  {0} of 3 DOCUMENTS\n\nThe Times\n\nJapan said no.\n\nLOAD-DATE: May 3, 2003\n"
FACTIVA = "<div><p>Japan said no to the union.</p><p>Document FTFT000020030929emb2{}</p></div>"
TWO = f"<article><h1>Talks</h1><p>{'Japan said no. ' * 20}</p></article>"
TEASER = "<article><a href='/x'>Norway waits</a></article>"


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.txt", "".join(map(NEXIS.format, (1, 2, 3))), 3),
        ("a.md", "".join(f"Japan said no.\n\nEnd of Document\n\n{n}" for n in "12"), 2),
        ("a.html", f"<html><body>{''.join(map(FACTIVA.format, range(4)))}</body></html>", 4),
        ("a.html", f"<html><body>{TWO * 2}{TEASER}</body></html>", 2),
        ("a.txt", NEXIS.format(1), 1),
        ("a.html", f"<html><body>{TWO}{TEASER * 9}</body></html>", 1),
    ],
)
def test_a_file_of_several_articles_is_told(
    tmp_path: Path, name: str, content: str, count: int
) -> None:
    path = write(tmp_path / name, content.encode())
    found, said = read(path)
    assert isinstance(found, Source)
    note = f"{path}: seems to hold {count} articles and is read as one; split it first"
    assert said == [note] * (count > 1)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("iso-8859-1", "cp1252"),
        ("ISO-8859-2", "iso8859-2"),
        ("windows-1250", "cp1250"),
        ("iso-8859-1", "utf-8"),  # a saved page often keeps the declaration of the original
    ],
)
def test_web_pages_declare_their_encoding(tmp_path: Path, declared: str, encoding: str) -> None:
    raw = PAGE.format(charset=declared).encode(encoding)
    assert "the café, and" in source(write(tmp_path / "a.html", raw)).text


@pytest.mark.parametrize("declared", ["nonsense", "rot13", "idna", "unicode_escape", "utf-16"])
def test_odd_declarations_are_passed_over(tmp_path: Path, declared: str) -> None:
    raw = PAGE.format(charset=declared).encode("cp1252")
    found, said = read(write(tmp_path / "a.html", raw))
    assert isinstance(found, Source)
    assert "the café, and" in found.text
    assert "read as cp1252" in said[0]


def test_short_pages_and_pieces_of_pages(tmp_path: Path) -> None:
    assert source(write(tmp_path / "a.html", b"<p>Japan agreed.</p>")).text == "Japan agreed."
    page = b"<!-- saved from the web -->" + b" " * 60 + b"<html><p>Japan agreed.</p></html>"
    assert source(write(tmp_path / "a.html", page)).text == "Japan agreed."


def test_markdown(tmp_path: Path) -> None:
    text = (
        "# Talks *resume*\n\nJapan said **no** to [the union](https://a.org/x) and __left__;\n"
        "a_snake_case and 2 * 3 * 4 stay.\n\n> We *will not\n> move* first.\n\n"
        "- one\n* two\n![photo](x.png)\n"
    )
    found = source(write(tmp_path / "a.md", text.encode()))
    assert found.title == "Talks resume"
    assert found.text == (
        "Talks resume\n\nJapan said no to the union and left;\n"
        "a_snake_case and 2 * 3 * 4 stay.\n\nWe will not\nmove first.\n\n"
        "- one\n* two\nphoto\n"
    )
    front = '---\r\ntitle: "Talks: day 2"\r\ndate: 2003-09-29\r\nauthor: J. Roe\r\n---\r\n'
    found = source(write(tmp_path / "b.md.gz", (front + "No.\r\n").encode()))
    assert (found.text, found.title, found.byline) == ("No.\r\n", "Talks: day 2", "J. Roe")
    assert found.date == datetime.date(2003, 9, 29)
    path = write(tmp_path / "c.md", front.replace("2003-09-29", "11/02/2024").encode() + b"No.")
    assert read(path)[1] == [f"{path}: date '11/02/2024' cannot be read, left empty"]


def test_thematic_breaks_are_no_front_matter(tmp_path: Path) -> None:
    text = "---\nThe union rejected the offer.\n\n---\nNorway agreed.\n"
    assert source(write(tmp_path / "a.md", text.encode())).text == text
    front = "---\ntags:\n- talks\n\nlang: en\n---\nNorway agreed.\n"
    assert source(write(tmp_path / "a.md", front.encode())).text == "Norway agreed.\n"


@pytest.mark.parametrize("piece", ["[", "[a](", "*a", "**a ", "_a ", "> ", "#", "---\n", "a: \n"])
@pytest.mark.usefixtures("soon")
def test_markdown_takes_no_time(tmp_path: Path, piece: str) -> None:
    source(write(tmp_path / "a.md", b"x\n" + piece.encode() * 200_000))
    read(write(tmp_path / "a.md", b"---\ntitle:" + b" " * 500_000 + b"\n---\nx"))


@pytest.mark.parametrize("ending", [".docx", ".pdf"])
def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any) -> Any:
        if name.split(".")[0] in ("docx", "pypdf"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    message = failure(write(tmp_path / f"a{ending}", b"x"))
    assert message.endswith(f"to read {ending}, run: pip install 'detente[articles]'")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert list_files(["-"]) == [Path("-")]
    assert list(read_articles(["-"])) == [Source("-", TEXT)]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match="-: is empty"):
        list(read_articles(["-"]))


def tree(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEXT)


def names(folder: Path, *paths: str | Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in list_files(paths)]


def test_folders_are_searched_in_order_of_name(tmp_path: Path) -> None:
    tree(tmp_path, "b.txt", "a/z.HTML", "a/b.csv.gz", "a/.git/x.txt", ".hidden.txt", "x.png")
    tree(tmp_path, "a/x.docx.gz", "a/c/d.parquet")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    (tmp_path / "linked.txt").symlink_to(tmp_path / "b.txt")
    expected = ["a/b.csv.gz", "a/c/d.parquet", "a/z.HTML", "b.txt", "linked.txt"]
    assert names(tmp_path, tmp_path) == expected
    assert names(tmp_path, tmp_path / "**") == expected
    assert names(tmp_path, str(tmp_path / "**" / "*.txt")) == ["b.txt", "linked.txt"]
    assert names(tmp_path, tmp_path / "[ab]*") == expected[:4]
    assert names(tmp_path, tmp_path / "?.txt", tmp_path / "a") == ["b.txt", *expected[:3]]
    others = Counter[str]()
    list_files([tmp_path], others)
    assert others["broken link"] == 2


def test_patterns_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, "a/1.txt", "b/2.txt", "a/[draft].txt")
    monkeypatch.chdir(tmp_path / "a")
    assert list_files(["*.txt"]) == [Path("1.txt"), Path("[draft].txt")]
    assert list_files(["../*/?.txt"]) == [Path("../a/1.txt"), Path("../b/2.txt")]
    assert list_files(["[draft].txt"]) == [Path("[draft].txt")]


def test_lists_of_files(tmp_path: Path) -> None:
    tree(tmp_path, "in/a.txt", "in/b/c.txt", "in/b/d.md")
    listing = tmp_path / "in" / "list.txt"
    listing.write_text(f"# mine\n\n  a.txt \r\nb\n{tmp_path}/in/b/*.md\n", encoding="utf-8")
    assert names(tmp_path / "in", f"@{listing}") == ["a.txt", "b/c.txt", "b/d.md"]
    listing.write_text("a.txt\nmissing.txt\n")
    with pytest.raises(InputError, match=r"list.txt:2: .*missing.txt: no such file"):
        list_files([f"@{listing}"])
    listing.write_text("# nothing\n")
    listing.write_text("a.txt\nhttps://a.org/x.html\n")
    with pytest.raises(InputError, match=r"list.txt:2: https://a.org/x.html: is a URL; .* ray"):
        list_files([f"@{listing}"])
    listing.write_text("# nothing\n")
    with pytest.raises(InputError, match="names no file"):
        list_files([f"@{listing}"])
    with pytest.raises(InputError, match="no such file"):
        list_files([f"@{tmp_path}/none.txt"])


def test_a_file_that_is_named_twice_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "in/a.txt", "in/b.txt")
    (tmp_path / "list").write_text("in/b.txt\nin/b.txt\n")
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    assert list_files(["in", "in/*.txt", tmp_path / "in" / "a.txt", "@list"], say=said.append) == [
        *(Path("in/a.txt"), Path("in/b.txt")),
    ]
    assert said == ["in/a.txt: is named more than once, and read once; 2 files are"]
    assert len(list(read_articles(["in/a.txt", "./in/../in/a.txt"], say=said.append))) == 1
    assert said[1:] == ["in/../in/a.txt: is named more than once, and read once"]


def test_paths_that_name_no_article(tmp_path: Path) -> None:
    tree(tmp_path, "x.png", "empty/.hidden.txt")
    for path, words in {
        "none.txt": "none.txt: no such file",
        "x.png": r"give a file ending in .txt, .md, .html, .* also as .gz",
        "x.docx.gz": "no such file",
        "empty": r"empty: holds no file ending in .txt",
        "*.pdf": r"\*.pdf: holds no file",
        "**.txt": r"\*\*.txt: ",
        "a\0b.txt": "no such file",
        "x" * 300 + ".txt": "cannot be read",
    }.items():
        with pytest.raises(InputError, match=words) as caught:
            list_files([tmp_path / path])
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"^s3://a/b.html: is a URL; .* --engine ray"):
        list_files(["s3://a/b.html"])
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    with pytest.raises(InputError, match=r"self\.txt"):
        list_files([tmp_path / "self.txt"])


def test_entries_are_cheap_and_can_start_anywhere(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"text": "One."}\n\n{"text": 1}\n{"text": "Three."}\n')
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "c.txt").write_text("Last.")
    files = list_files([tmp_path])
    assert count_articles(files) is None
    assert count_articles(files[:1]) == 1
    every = list(entries(files, say=lambda _: None))
    assert [(e.file, e.item) for e in every] == [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0)]
    for number, entry in enumerate(every):
        start = (entry.file, entry.item)
        assert list(entries(files, start=start, say=lambda _: None)) == every[number:]
    assert list(entries(files, start=(1, 3), say=lambda _: None)) == every[4:]
    assert list(entries(files, start=(3, 0))) == []
    sizes = [len(pickle.dumps(entry)) for entry in every]
    assert max(sizes) < 600
    read = [pickle.loads(pickle.dumps(entry)).read() for entry in every]
    assert [type(article) for article in read] == [Source, Source, Failure, Source, Source]
    files[0].unlink()
    assert isinstance(every[0].read(), Failure)
    assert isinstance(Entry(0, 0, files[2]).read(), Source)


def test_reading_goes_on_past_failures_if_told_to(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt", "c.txt")
    (tmp_path / "b.txt").write_bytes(b"a\0b")
    failures: list[Failure] = []
    found = list(read_articles([tmp_path], Columns(), on_failure=failures.append))
    assert [source.name for source in found] == [str(tmp_path / n) for n in ("a.txt", "c.txt")]
    assert [failure.name for failure in failures] == [str(tmp_path / "b.txt")]
    with pytest.raises(InputError, match=r"b.txt: is a binary file"):
        list(read_articles([tmp_path]))
    with pytest.raises(InputError, match="no such file"):
        read_articles([tmp_path / "none.txt"])  # at once, before the first article is asked for


@pytest.mark.parametrize(
    ("value", "day"),
    [
        *((value, DAY) for value in ("2003-09-29", "20030929", 20030929, "2003/9/29", DAY)),
        *((value, DAY) for value in ("2003-09-29T10:00:00Z", "2003-09-29 10:00:00.5+02:00")),
        *((value, DAY) for value in ("20030929T100000Z", "20030929100000", "2003-09-29Z")),
        *((value, DAY) for value in ("Mon, 29 Sep 2003 10:00:00 +0000", "29 Sep 2003")),
        *((value, DAY) for value in ("Sept. 29, 2003", "September 29th, 2003", "SEPT 29 2003")),
        *((value, DAY) for value in ("Monday, September 29, 2003, 10 a.m.", "29-Sep-2003")),
        *((value, DAY) for value in ("29 September 2003", " 29th September, 2003 ")),
        *((value, DAY) for value in ("Mon Sep 29 10:00:00 2003", "September 29,2003")),
        *((value, DAY) for value in ("Mon Sep 29 10:00:00 +0000 2003", "2003.09.29")),
        (datetime.datetime(2003, 9, 29, 23, 59), DAY),
        *((value, None) for value in (None, "", "soon", "9/10/2003", "2003", "2003-09", True)),
        *((value, None) for value in (1064829600, "1064829600", 1064829600000, 20030929.0)),
        *((value, None) for value in ("2003-02-30", "20031329", "Foo 29, 2003", "0000-01-01")),
        *((value, None) for value in ("2003-09-290", "Sept. 29, 2003" * 99, 10**4200, [DAY])),
    ],
)
def test_dates(value: object, day: datetime.date | None) -> None:
    assert parse_date(value) == day
