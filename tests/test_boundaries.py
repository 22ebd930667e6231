"""What the code may know: which package imports which, and who spells a label."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from detente import Codebook
from tests.conftest import ROOT

SERVING = sorted((ROOT / "serving").rglob("*.py"))
TRAINING = sorted((ROOT / "training").rglob("*.py"))
HEAVY = {"torch", "transformers", "datasets", "sklearn", "mlflow", "onnx", "detente_training"}


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", SERVING, ids=lambda path: path.name)
def test_serving_imports_nothing_of_training(path: Path) -> None:
    assert not imports(path) & HEAVY


def test_tagging_loads_nothing_heavy() -> None:
    code = (
        "import sys, detente; article = detente.Tagger.load().tag('Japan refused to sign.');"
        "assert article.rows(); assert 'spacy' in sys.modules;"
        f"print([name for name in sys.modules if name.split('.')[0] in {HEAVY!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", [*SERVING, *TRAINING], ids=lambda path: path.name)
def test_only_the_codebook_spells_a_label(path: Path, codebook: Codebook) -> None:
    labels = {name for d in codebook.dimensions for name in d.label_names} - {"none"}
    names = {dimension.name for dimension in codebook.dimensions}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    # scikit-learn's own word for class weights is one of ours by chance.
    foreign = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "class_weight"
    }
    strings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation | foreign
    }
    assert not strings & (labels | names)
