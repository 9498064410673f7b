"""The project's pages as tests need them: tables, code blocks, commands, links, headings."""

import csv
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Page:
    """One Markdown page.

    Args:
        name: Its path in the repository, such as "docs/settings.md".
    """

    name: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without code blocks."""
        return re.sub(r"^```.*?^```", "", self.text, flags=re.DOTALL | re.MULTILINE)

    def blocks(self, language: str) -> list[str]:
        """Return the code blocks of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```", self.text, flags=re.DOTALL | re.MULTILINE)

    def commands(self) -> list[str]:
        """Return the commands of the shell blocks and of the text, such as `python train.py --help`, without comments.

        A line of several commands, joined by &&, gives several.
        """
        lines = [line for block in self.blocks("bash") for line in block.splitlines()]
        spans = [" ".join(span.split()) for span in re.findall(r"`((?:python|pip|ddpg-\w+)\s[^`]+)`", self.prose)]
        parts = [part.partition(" #")[0].strip() for line in (*lines, *spans) for part in line.split(" && ")]
        return [part for part in parts if part and not part.startswith("#")]

    def tables(self) -> list[list[dict[str, str]]]:
        """Return all tables, each a list of rows; a row has its cells under the names of the columns."""
        found = []
        for table in re.findall(r"(?:^\|.*\n)+", self.prose + "\n", flags=re.MULTILINE):
            header, ruler, *rows = [cells(line) for line in table.splitlines()]
            assert all(re.fullmatch(r"-+", cell) for cell in ruler), f"{self.name}: no table: {table[:80]}"
            found.append([dict(zip(header, row, strict=True)) for row in rows])
        return found

    def table(self, *columns: str) -> list[dict[str, str]]:
        """Return the one table that has exactly these columns."""
        (found,) = self.tables_with(*columns)
        return found

    def tables_with(self, *columns: str) -> list[list[dict[str, str]]]:
        """Return the tables that have exactly these columns, at least one."""
        found = [table for table in self.tables() if table and tuple(table[0]) == columns]
        assert found, f"{self.name} has no table with the columns {columns}"
        return found

    def links(self) -> list[str]:
        """Return the targets of links and pictures that are not on the web."""
        return re.findall(r"\]\(((?!https?:)[^)\s]+)\)", self.prose)

    def anchors(self) -> set[str]:
        """Return the anchors that GitHub gives the headings."""
        headings = re.findall(r"^#+ (.*)$", self.prose, flags=re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def all_pages() -> list[Page]:
    """Return the README, the pages in docs/ and the index of the benchmarks."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]
    return [Page(path.relative_to(ROOT).as_posix()) for path in paths]


def cells(line: str) -> list[str]:
    """Return the cells of a table's line; a `\\|` does not end one."""
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def number(cell: str) -> float:
    """Return the number in a cell such as "1,000" or "0.12"."""
    return float(cell.replace(",", ""))


def code_spans(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def read_csv(path: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file of the repository."""
    with (ROOT / path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
