"""The pages' templates, which lie beside this file."""

from pathlib import Path

from retable.tables.report import formatting

_FOLDER = Path(__file__).parent


def render(name: str, **names: object) -> str:
    """The page of a template, of which a name that it uses and is not given is an error."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # only here: reports are imported for every table
    from markupsafe import Markup

    environment = Environment(loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined)
    style = Markup((_FOLDER / "style.css").read_text(encoding="utf-8"))
    page = environment.get_template(name).render(names, formatting=formatting, style=style)
    return formatting.printable(page)  # labels and logs may hold what no format can


def _source(name: str) -> str:
    """A template without its breaks and indentation of lines, which are for its readers only."""
    return "".join(line.strip() for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines())
