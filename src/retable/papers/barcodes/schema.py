"""What may be set of models that read symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from retable.options import Options


@dataclass
class SymbolReaderConfig(Options):
    """What all of them have: they learn from symbols that are cut out already."""

    task: ClassVar[str] = "images of one symbol each"


SCHEMAS: dict[str, Any] = {}
