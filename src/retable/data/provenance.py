"""Where a dataset comes from, as the record of a run tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from retable.data.fingerprint import combined_fingerprint


@dataclass(frozen=True)
class Provenance:
    """The origin of the data of a run or of one split.

    Attributes:
        kind: "real" for published or own images, "synthetic" for generated ones, "mixed" where a run has both.
        source: the dataset's name, with what else tells versions of it apart. Never a path of this machine.
        fingerprint: what `fingerprint_files` or a generator returned.
        splits: number of images of each split.
        notes: what a reader of the numbers must know, such as images that were left out and why.
    """

    kind: Literal["real", "synthetic", "mixed"]
    source: str
    fingerprint: str
    splits: Mapping[str, int]
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Returns the provenance as plain dictionaries, lists, strings and numbers, for JSON."""
        return {
            "kind": self.kind,
            "source": self.source,
            "fingerprint": self.fingerprint,
            "splits": dict(self.splits),
            "notes": list(self.notes),
        }


def combine_provenances(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Combines the provenances of a run's splits into the one of the run.

    Args:
        parts: what `Provenance.as_dict` returned, by the role of the split ("train", "val", "test").

    Returns:
        A dictionary as of `Provenance.as_dict`. `kind` is "synthetic" as soon as one part is; `splits` counts
        by role; `notes` are kept once each.

    Raises:
        ValueError: there are no parts.
    """
    if not parts:
        raise ValueError("no provenances to combine")
    kinds = [part["kind"] for part in parts.values()]
    sources = list(dict.fromkeys(part["source"] for part in parts.values()))
    notes = dict.fromkeys(note for part in parts.values() for note in part.get("notes", ()))
    return Provenance(
        kind="synthetic" if "synthetic" in kinds else "real",
        source=" + ".join(sources),
        fingerprint=combined_fingerprint({role: part["fingerprint"] for role, part in parts.items()}),
        splits={role: sum(part["splits"].values()) for role, part in parts.items()},
        notes=tuple(notes),
    ).as_dict()
