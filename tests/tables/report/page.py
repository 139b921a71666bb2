"""Reads a page as a strict reader would: every element closed in its order, tables as rows of text."""

from html.parser import HTMLParser

VOID = ("br", "img", "meta")


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        elements: Name and attributes of every element, in order.
        tables: For each class of a table its rows, each a list of the texts of its cells.
        text: All text outside style and script.
    """

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.text = ""
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self.feed(document)
        self.close()
        assert self._open == []

    def handle_starttag(self, name, attributes):
        assert len(dict(attributes)) == len(attributes), f"an attribute of {name} stands twice"
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self._open.append(name)
        if name == "table":
            self._rows = self.tables.setdefault(dict(attributes)["class"], [])
        if name == "tr":
            self._rows.append([])
        if name in ("td", "th"):
            self._rows[-1].append("")

    def handle_endtag(self, name):
        assert self._open, f"</{name}> closes nothing"
        assert self._open.pop() == name

    def handle_data(self, data):
        if self._open and self._open[-1] in ("style", "script"):
            return
        self.text += data
        if "tr" in self._open and self._rows and self._rows[-1] and "svg" not in self._open:
            self._rows[-1][-1] += data.replace("\u00a0", " ") + " "

    def row(self, table, label):
        """The row of a table that begins with a label, with single spaces."""
        rows = [[" ".join(cell.split()) for cell in row] for row in self.tables[table]]
        return next(row for row in rows if row and row[0].split(" · ")[0].startswith(label))

    def attributes(self, name):
        """The attributes of all elements of a name."""
        return [attributes for element, attributes in self.elements if element == name]
