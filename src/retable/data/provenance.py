"""Where a dataset comes from, as the record of a run tells it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from retable.data.fingerprint import combined_fingerprint


@dataclass(frozen=True)
class Provenance:
    """The origin of the data of a run or of one split.

    Attributes:
        kind: "real" for published or own images, "synthetic" for generated ones, "mixed" where a run has both.
        source: The dataset's name, with what else tells versions of it apart. Never a path of this machine.
        fingerprint: What `fingerprint_files` or a generator returned.
        splits: Number of images of each split.
        notes: What a reader of the numbers must know, such as images that were left out and why.
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
    """Combines the provenances of the parts of a run's data into the one of the run.

    Args:
        parts: What `Provenance.as_dict` returned, by a name for the fingerprint, such as the role of a split. Parts may
            be of one split: its sizes are added up.

    Returns:
        A dictionary as of `Provenance.as_dict`, and ``fingerprints``, that of each split. `kind` is "mixed" where the
        parts are of several; `notes` are kept once each.

    Raises:
        ValueError: There are no parts.
    """
    if not parts:
        raise ValueError("no provenances to combine")
    kinds = {part["kind"] for part in parts.values()}
    splits: Counter[str] = Counter()
    for part in parts.values():
        splits.update(part["splits"])
    whole = Provenance(
        kind=kinds.pop() if len(kinds) == 1 else "mixed",
        source=" + ".join(dict.fromkeys(part["source"] for part in parts.values())),
        fingerprint=combined_fingerprint({name: part["fingerprint"] for name, part in parts.items()}),
        splits=splits,
        notes=tuple(dict.fromkeys(note for part in parts.values() for note in part.get("notes", ()))),
    ).as_dict()
    of_splits = {
        split: combined_fingerprint(
            {name: part["fingerprint"] for name, part in parts.items() if split in part["splits"]}
        )
        for split in splits
    }
    return {**whole, "fingerprints": of_splits}
