"""The class tree of HRSC2016: ships (level 1), four categories (level 2), types (level 3)."""

from dataclasses import dataclass
from pathlib import Path

from retable.detection.annotation_files import parse_number, parse_xml, xml_text
from retable.errors import DataError

_PREFIX = 100_000_000  # the files write class 13 as 100000013


@dataclass(frozen=True)
class ShipClass:
    """A node of the class tree.

    Attributes:
        class_id: The dataset's Class_ID.
        name: English name.
        level: 1 for the root "ship", 2 for categories, 3 for types.
        parent: Class_ID of the node above, None at level 1.
    """

    class_id: int
    name: str
    level: int
    parent: int | None


_CATEGORIES = {2: "aircraft carrier", 3: "warcraft", 4: "merchant ship", 27: "submarine"}
_TYPES = {
    2: {5: "Nimitz", 6: "Enterprise", 12: "Kitty Hawk", 13: "Kuznetsov", 31: "Ford", 32: "Midway", 33: "Invincible"},
    3: {
        7: "Arleigh Burke", 8: "Whidbey Island", 9: "Perry", 10: "San Antonio", 11: "Ticonderoga", 14: "Abukuma",
        15: "Austin", 16: "Tarawa", 17: "Blue Ridge", 19: "command ship A", 22: "hovercraft", 28: "lute",
        29: "medical ship",
    },
    4: {
        18: "container ship", 20: "car carrier A", 24: "yacht", 25: "container ship A", 26: "cruise ship",
        30: "car carrier B",
    },
}  # fmt: skip


def _built_in() -> dict[int, ShipClass]:
    nodes: list[tuple[int, str, int, int | None]] = [(1, "ship", 1, None)]
    nodes += [(category, name, 2, 1) for category, name in _CATEGORIES.items()]
    nodes += [(number, name, 3, category) for category, types in _TYPES.items() for number, name in types.items()]
    tree = {}
    for number, name, level, parent in sorted(nodes):
        above = None if parent is None else _PREFIX + parent
        tree[_PREFIX + number] = ShipClass(_PREFIX + number, name, level, above)
    return tree


BUILT_IN_CLASSES = _built_in()
"""The class tree by Class_ID that is used where a copy of the dataset lacks its `sysdata.xml`.

Numbers are the published ones. Names are written out in place of the dataset's pictograms, such as `OXo|--)`.
The assignment of types to categories is ours, by what the ships are: where it matters, use the dataset's own file."""


def read_class_tree(path: Path) -> dict[int, ShipClass]:
    """Reads the class tree from the dataset's `sysdata.xml`.

    Args:
        path: The file, with HRSC_Classes/HRSC_Class elements of Class_ID, Class_Layer 0 to 2, Class_EngName and,
            below the root, HRS_Class_ID for the parent.

    Returns:
        Nodes by Class_ID, sorted.

    Raises:
        DataError: The file is malformed, or a node lacks its number, name or parent.
    """
    tree: dict[int, ShipClass] = {}
    root = parse_xml(path, "sysdata")
    for number, element in enumerate(root.findall("HRSC_Classes/HRSC_Class"), 1):
        place = f"{path}, class {number}"
        class_id, layer = (_integer(xml_text(element, tag, place), tag, place) for tag in ("Class_ID", "Class_Layer"))
        if not 0 <= layer <= 2:
            raise DataError(f"{place}: Class_Layer is {layer}; valid are 0, 1 and 2")
        parent = None if layer == 0 else _integer(xml_text(element, "HRS_Class_ID", place), "HRS_Class_ID", place)
        tree[class_id] = ShipClass(class_id, xml_text(element, "Class_EngName", place), layer + 1, parent)
    if not tree:
        raise DataError(f"{path}: no HRSC_Classes/HRSC_Class elements; restore the file from the dataset")
    for node in tree.values():
        if node.parent is not None and (node.parent not in tree or tree[node.parent].level >= node.level):
            raise DataError(
                f"{path}: class {node.class_id} has the parent {node.parent}, which is not a class above it"
            )
    return dict(sorted(tree.items()))


class ClassLevel:
    """The labels of one level of the class tree.

    An object is labelled with its ancestor at the level, or, where annotators could tell no more, with the
    node itself: a ship of unknown category stays "ship" at level 2. Level 1 has the one label "ship".

    Args:
        tree: Nodes by Class_ID.
        level: 1, 2 or 3.
    """

    def __init__(self, tree: dict[int, ShipClass], level: int) -> None:
        self._tree = tree
        nodes = [node for node in tree.values() if node.level <= level] if level > 1 else []
        names = [node.name for node in nodes]
        # names that occur twice (two car carriers) get their number, so that classes stay apart
        self.classes = [
            node.name if names.count(node.name) == 1 else f"{node.name} {node.class_id % _PREFIX}" for node in nodes
        ] or ["ship"]
        self._labels = {node.class_id: label for label, node in enumerate(nodes)}
        self._level = level

    def label(self, text: str, place: str) -> int:
        """Returns the label of an object by its Class_ID.

        Raises:
            DataError: The Class_ID is not in the class tree. The message lists the known ones.
        """
        class_id = _integer(text, "Class_ID", place)
        if class_id not in self._tree:
            known = ", ".join(f"{node.class_id} ({node.name})" for node in self._tree.values())
            raise DataError(f"{place}: unknown class {text!r}; known are {known}")
        if self._level == 1:
            return 0
        node = self._tree[class_id]
        while node.level > self._level and node.parent is not None:
            node = self._tree[node.parent]
        return self._labels[node.class_id]


def _integer(text: str, tag: str, place: str) -> int:
    number = parse_number(text, f"<{tag}>", place)
    if not number.is_integer():
        raise DataError(f"{place}: <{tag}> is {text!r}, which is not a whole number")
    return int(number)
