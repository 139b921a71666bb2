"""HTML and SVG as Python calls: what is not markup already is escaped, so that it cannot be forgotten."""

from html import escape

from retable.tables.report.formatting import printable

_VOID = ("br", "img", "meta")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: str | float | None) -> Markup:
    """An element.

    Args:
        name: Its name.
        children: Text, which is escaped, and `Markup`, which is not; None is left out.
        attributes: By name; ``class_`` is ``class`` and other underscores are hyphens. Those with None are left out,
            and those with "" stand without a value.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + (f'="{escape(printable(str(value)))}"' if value != "" else "")
        for key, value in attributes.items()
        if value is not None
    )
    start = f"<{name}{written}>"
    return Markup(start if name in _VOID else f"{start}{join(*children)}</{name}>")


def join(*children: str | None) -> Markup:
    """Text and markup, one after another; None is left out."""
    return Markup("".join(escaped(child) for child in children if child is not None))


def escaped(text: str) -> str:
    """Text as HTML shows it; markup as it is."""
    return text if isinstance(text, Markup) else escape(printable(text), quote=False)
