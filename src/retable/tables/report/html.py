"""``report.html``, made by the templates beside this file."""

import os
from pathlib import Path

from retable.tables.report import cell_lines, charts, claim_lines, curves, formatting, pictures, view_model
from retable.tables.results import TableResult

_FOLDER = Path(__file__).parent


def document(result: TableResult, folder: Path) -> str:
    """The page, with links to the cells' folders from the folder where it will lie."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # only here: reports are imported for every table
    from markupsafe import Markup

    def address(path: Path) -> str:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()

    environment = Environment(loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined)
    modules = (cell_lines, charts, claim_lines, curves, formatting, pictures, view_model)
    page = environment.get_template("report.html.jinja").render(
        {module.__name__.rpartition(".")[2]: module for module in modules},
        result=result,
        table=result.table,
        address=address,
        style=Markup((_FOLDER / "style.css").read_text(encoding="utf-8")),
    )
    return formatting.printable(page)  # labels and logs may hold what no format can


def _source(name: str) -> str:
    """A template without its breaks and indentation of lines, which are for its readers only."""
    return "".join(line.strip() for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines())
