"""The documents say what the code does: their Python runs, and what they show of its output is what comes out.

The blocks of a document are read in order, in a process of their own; those in `python` share one namespace, each is a
file named by its first line. What stands behind one of these comments is compared:

    <!-- generated: EXPRESSION -->    the text that the expression gives
    <!-- output -->                   what the last block printed
    <!-- error: EXPRESSION -->        the message of the SrcgradError that the expression raises
    <!-- table: FILE -->              the first table of that file
    <!-- setup CODE -->               is run, not shown

`pytest tests/test_docs.py --refresh-golden` writes it anew.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import linecache
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]

SETUP = r"<!-- setup\n(?P<setup>.*?)-->"
SHOWN = r"<!-- (?P<kind>generated|error): (?P<expression>[^\n]*) -->\n```(?P<fence>\w+)\n(?P<shown>.*?)```\n"
OUTPUT = r"<!-- output -->\n```text\n(?P<printed>.*?)```\n"
TABLE = r"<!-- table: (?P<file>\S+) -->\n(?P<table>(?:\n?\|[^\n]*\n)*)"
BLOCK = r"```python\n(?P<code>.*?)```\n"
PART = re.compile("|".join((SETUP, SHOWN, OUTPUT, TABLE, BLOCK)), re.DOTALL)


@dataclass
class Document:
    """Runs the parts of a document in order and writes it anew."""

    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "document"})
    printed: str = ""
    blocks: int = 0

    def rewritten(self, text: str) -> str:
        return PART.sub(self.part, text)

    def part(self, found: re.Match[str]) -> str:
        groups, whole = found.groupdict(), found[0]
        if groups["setup"] is not None:
            self.run(groups["setup"])
        elif groups["code"] is not None:
            self.run(groups["code"])
        elif groups["printed"] is not None:
            return f"<!-- output -->\n```text\n{self.printed}```\n"
        elif groups["file"] is not None:
            return f"<!-- table: {groups['file']} -->\n\n{table(groups['file'])}"
        else:
            kind, expression = groups["kind"], groups["expression"]
            text = self.message(expression) if kind == "error" else str(eval(expression, self.namespace))
            return f"<!-- {kind}: {expression} -->\n```{groups['fence']}\n{text.rstrip()}\n```\n"
        return whole

    def run(self, code: str) -> None:
        """Runs a block as a file of its own, whose lines `inspect` finds."""
        self.blocks += 1
        named = re.match(r"# (\w+\.py)\n", code)
        file = named[1] if named else f"block_{self.blocks}.py"
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, file, "exec"), self.namespace)
        self.printed = printed.getvalue()

    def message(self, expression: str) -> str:
        from srcgrad import SrcgradError

        try:
            eval(expression, self.namespace)
        except SrcgradError as error:
            return str(error)
        raise AssertionError(f"{expression} raises nothing")


def table(file: str) -> str:
    path = ROOT / file
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [line for line in lines if line.startswith("|")]
    return "".join(f"{row}\n" for row in rows)


def main(name: str) -> None:
    """Writes a document anew to standard output."""
    text = Document().rewritten((ROOT / name).read_text(encoding="utf-8"))
    sys.stdout.write(text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_shows_what_comes_out(name: str, request: pytest.FixtureRequest) -> None:
    if name in ("README.md", "docs/adding_an_operation.md"):
        pytest.importorskip("scipy")
    done = subprocess.run(
        [sys.executable, "-m", "tests.test_docs", name],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    path = ROOT / name
    if request.config.getoption("--refresh-golden"):
        path.write_text(done.stdout, encoding="utf-8")
    shown = path.read_text(encoding="utf-8")
    assert shown == done.stdout, "".join(difflib.unified_diff(shown.splitlines(True), done.stdout.splitlines(True)))


def test_the_documents_are_found() -> None:
    assert {"README.md", "docs/tour.md", "docs/adding_an_operation.md", "docs/operations.md"} <= set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_snippets_in_a_document_are_run(name: str) -> None:
    """Every block of Python is one that the first test runs or compares."""
    text = (ROOT / name).read_text(encoding="utf-8")
    seen = sum("```python" in found[0] for found in PART.finditer(text))
    assert seen == text.count("```python\n")


def test_a_wrong_document_is_noticed(tmp_path: Path) -> None:
    text = "```python\nprint(1 + 1)\n```\n\n<!-- output -->\n```text\n3\n```\n"
    assert Document().rewritten(text) == text.replace("3", "2")


def test_the_list_of_operations_is_current() -> None:
    from docs.operations import page

    assert (ROOT / "docs" / "operations.md").read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    main(sys.argv[1])
