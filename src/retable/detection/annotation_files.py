"""Folders, image lists and XML of detection datasets, read with errors that name file and line."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from retable.data.listing import IMAGE_SUFFIXES, Listing, list_files, shown_name
from retable.errors import DataError

_LISTED_SUFFIXES = IMAGE_SUFFIXES | {".txt", ".xml"}
_COMPANIONS = ("classes", "labels")  # lists of class names that labelling tools put beside their annotations
_FULL_TURN = 6.2832  # radians, rounded up
SPLITS = ("test", "train", "trainval", "val")
_OTHER_NAMES = {"train": ("training",), "val": ("valid", "validation"), "test": ("testing",)}


def checked_root(
    root: str | Path | None, name: str, splits_of: Callable[[Path, Sequence[str]], list[str]], names: Sequence[str]
) -> Path:
    """Returns the folder of a dataset of this name, the value of `data.root`, as a path.

    Args:
        root: The value.
        name: The dataset's name.
        splits_of: Finds out which of some splits are in a folder.
        names: The splits that are looked for.

    Raises:
        DataError: There is no such folder, it is empty, or the splits are in one above or below it.
    """
    if root is None or not str(root).strip():
        raise DataError(f"{name}: data.root is not set; give the folder of the dataset, data.root=PATH")
    path = Path(root).expanduser()
    if not path.exists():
        raise DataError(f"{name}: data.root={root} does not exist; give the folder of the dataset")
    if not path.is_dir():
        raise DataError(f"{name}: data.root={root} is a file; give the folder of the dataset (unpack an archive first)")
    if not _entries_of(path):
        raise DataError(f"{name}: data.root={root} is an empty folder, or one that may not be read")
    inside = _folders_in(path)
    if not splits_of(path, names):
        near = (*inside, *(deeper for folder in inside for deeper in _folders_in(folder)), path.absolute().parent)
        if found := [folder for folder in near if splits_of(folder, names)]:
            raise DataError(
                f"{name}: data.root={root} is not the folder of the dataset itself; give data.root="
                f"{' or data.root='.join(map(str, found))}"
            )
    return path


def _folders_in(folder: Path) -> list[Path]:
    """Returns the subfolders of a folder that are not hidden, sorted."""
    return sorted(path for path in _entries_of(folder) if not path.name.startswith(".") and path.is_dir())


def _entries_of(folder: Path) -> list[Path]:
    """Returns what lies in a folder; nothing where it is none or cannot be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def split_names(split: str) -> tuple[str, ...]:
    """Returns the names that a split's folder or list may have: its own, then others that are common."""
    return (split, *_OTHER_NAMES.get(split, ()))


def below(folder: Path, name: str) -> Path | None:
    """Returns what lies at a relative path; letter case counts only where it decides. None where there is nothing."""
    for part in name.split("/"):
        if (folder / part).exists():
            folder /= part
            continue
        alike = [path for path in _entries_of(folder) if path.name.lower() == part.lower()]
        if len(alike) != 1:
            return None
        folder = alike[0]
    return folder


def first_below(folder: Path, names: Iterable[str]) -> Path | None:
    """Returns the first of several relative paths at which there is a folder, or None."""
    return next((path for name in names if (path := below(folder, name)) is not None and path.is_dir()), None)


def first_folder(name: str, what: str, places: Sequence[Path], names: Sequence[str]) -> Path:
    """Returns the first of several folders that exists; the dataset's name and what they hold are for the message.

    Args:
        name: The dataset's name.
        what: What the folders hold.
        places: Where to look, the preferred first.
        names: Relative paths there, in any letter case, the preferred first.

    Raises:
        DataError: None exists. The message lists them.
    """
    for place in places:
        if (folder := first_below(place, names)) is not None:
            return folder
    looked = ", ".join(str(place / sub) for place in places for sub in names)
    raise DataError(f"{name}: no folder with {what}; looked for {looked}")


def read_image_list(path: Path) -> list[str]:
    """Reads the names of a split's images, one a line.

    Blank lines are skipped. Folders and known endings of images and annotations are taken off, so that
    `images/a.png` means `a`.

    Returns:
        The names, in the file's order.

    Raises:
        DataError: The file cannot be read, has no names, or has one twice.
    """
    lines: dict[str, int] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        text = line.strip()
        if not text:
            continue
        entry = Path(text.replace("\\", "/"))
        image_id = entry.stem if entry.suffix.lower() in _LISTED_SUFFIXES else entry.name
        if image_id in lines:
            raise DataError(f"{path}:{number}: {image_id} is already listed in line {lines[image_id]}; list it once")
        lines[image_id] = number
    if not lines:
        raise DataError(f"{path}: the list names no images")
    return list(lines)


def read_text(path: Path) -> str:
    """Reads a text file in UTF-8, with or without byte order mark.

    Raises:
        DataError: It is missing, unreadable or not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def list_of(places: Sequence[Path], split: str) -> Path | None:
    """Returns the image list of a split, ``SPLIT.txt``, from the first of the folders that has it, or None."""
    for name in split_names(split):
        for place in places:
            if (path := below(place, f"{name}.txt")) is not None and path.is_file():
                return path
    return None


def find_list(name: str, places: Sequence[Path], split: str) -> Path:
    """Returns the image list of a split as `list_of` does.

    Raises:
        DataError: There is none. The message says which there are.
    """
    path = list_of(places, split)
    if path is None:
        found = sorted({path.stem for place in places for path in place.glob("[!.]*.txt")})
        raise DataError(f"{name}: no list {split}.txt in {places[0]}; found {', '.join(found) or 'none'}")
    return path


def files_by_stem(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Returns files, given by their names below a folder, by those without ending, which join images and annotations.

    Raises:
        DataError: Two files differ in their ending or subfolder alone.
    """
    found: dict[str, str] = {}
    for name, path in files.items():
        other = found.setdefault(path.stem, name)
        if other != name:
            raise DataError(f"{folder}: {other} and {name} have the same name before the ending; keep one of them")
    return {stem: files[name] for stem, name in found.items()}


class MatchedFiles(NamedTuple):
    """The files of a split.

    Attributes:
        files: Name, image file and annotation file of each image.
        notes: What a reader of the record must know.
    """

    files: list[tuple[str, Path, Path]]
    notes: list[str]


def match_files(
    name: str,
    list_path: Path | None,
    image_folder: Path,
    annotation_folder: Path,
    suffix: str,
    image_ids: Sequence[str] | None = None,
) -> MatchedFiles:
    """Finds image and annotation of each name of a list, or of all images of a folder.

    Args:
        name: The dataset's name, for messages.
        list_path: The list; None where the folders themselves are the split: then each annotation must have an image,
            and the notes tell what else lies there.
        image_folder: Where the images lie, subfolders too.
        annotation_folder: Where the annotations lie, subfolders too.
        suffix: Ending of the annotations, such as ".xml".
        image_ids: Names, where they are not all of the list.

    Returns:
        Files in the order of the list or of their names, and notes.

    Raises:
        DataError: An image or an annotation is missing. The message says how many are and names the first.
    """
    image_listing = list_files(image_folder)
    images = files_by_stem(image_listing.files, image_folder)
    annotation_listing = list_files(annotation_folder, (suffix,), "annotations")
    annotations = files_by_stem(annotation_listing.files, annotation_folder)
    for image_id, image in images.items():
        if image_id not in annotations and image.name in annotations:  # a.png.txt, as predictions name them
            annotations[image_id] = annotations.pop(image.name)
    if image_ids is None:
        image_ids = list(images) if list_path is None else read_image_list(list_path)
    source = "" if list_path is None else f" that {list_path} lists"
    add_one = "add one; for an image without objects, a file without any"
    for found, listing, what, advice in (
        (images, image_listing, f"image in {image_folder}", "add the image, or take the name out"),
        (annotations, annotation_listing, f"annotation in {annotation_folder}", add_one),
    ):
        missing = [image_id for image_id in image_ids if image_id not in found]
        if missing:
            raise DataError(
                f"{name}: {len(missing)} of {len(image_ids)} images{source} have no {what}, "
                f"first {missing[0]}{_why(listing, missing[0])}; {advice}"
            )
    notes: list[str] = []
    if list_path is None:
        orphans = [path.name for stem, path in annotations.items() if stem not in images]
        companions = [orphan for orphan in orphans if Path(orphan).stem in _COMPANIONS]
        if others := [orphan for orphan in orphans if orphan not in companions]:
            raise DataError(
                f"{name}: {len(others)} annotations in {annotation_folder} have no image in {image_folder}, first "
                f"{others[0]}{_why(image_listing, Path(others[0]).stem)}; add the image or delete the annotation"
            )
        for folder, listing in ((image_folder, image_listing), (annotation_folder, annotation_listing)):
            notes += [f"{folder.parent.name}/{folder.name}: {note}" for note in listing.notes]
        notes += [
            f"{annotation_folder.parent.name}/{annotation_folder.name}: {companion} has no image and was left out"
            for companion in companions
        ]
    return MatchedFiles([(image_id, images[image_id], annotations[image_id]) for image_id in image_ids], notes)


def _why(listing: Listing, stem: str) -> str:
    for reason, names in listing.left_out.items():
        for name in names:
            if Path(name).stem == stem:
                return f" ({shown_name(name)} is among the files that are {reason})"
    return ""


def parse_xml(path: Path, root_tag: str) -> Element:
    """Parses an XML file with a root of this tag, without following entities.

    Raises:
        DataError: The file is unreadable, malformed, declares entities, or has another root.
    """
    try:
        root: Element = defusedxml.ElementTree.fromstring(path.read_bytes())
    except ParseError as error:
        line, column = error.position
        raise DataError(f"{path}:{line}: malformed XML (column {column}: {error.args[0]})") from None
    except DefusedXmlException:
        raise DataError(
            f"{path}: the XML declares entities, which annotations never need; the file is refused"
        ) from None
    except (ValueError, LookupError) as error:  # an encoding that does not exist
        raise DataError(f"{path}: malformed XML ({error})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if root.tag != root_tag:
        tool = "; this is a file of roLabelImg" if root.find(".//robndbox") is not None else ""
        raise DataError(f"{path}: the XML's root is <{root.tag}>, expected <{root_tag}>{tool}")
    return root


def unread_objects(root: Element, read: Sequence[Element], box_tags: Sequence[str]) -> list[str]:
    """Returns the tags of the elements that look like objects but are none of those that are read.

    Args:
        root: The annotation.
        read: The objects that are read.
        box_tags: Tags of what lies in an object and makes its box.
    """
    known, marks = {id(element) for element in read}, {tag.lower() for tag in box_tags}
    return [
        element.tag
        for element in root.iter()
        if id(element) not in known
        and (element.tag.lower().endswith("object") or any(child.tag.lower() in marks for child in element))
    ]


def unread_notes(unread: Mapping[Path, Sequence[str]], tag: str, any_read: bool) -> list[str]:
    """Returns the note on what `unread_objects` found in the files of a split; none where it found nothing.

    Raises:
        DataError: Not one object of the split is read.
    """
    found = [(path, other) for path, tags in unread.items() for other in tags]
    if not found:
        return []
    path, other = found[0]
    if not any_read:
        raise DataError(f"{path}: <{other}> looks like an object, but only <{tag}> in its place is read; rename it")
    note = f"{len(found)} elements look like objects but are no <{tag}> in its place and were not read"
    return [f"{note}, first <{other}> in {path.name}"]


def xml_text(parent: Element, tag: str, place: str) -> str:
    """Returns the text of a child element.

    Raises:
        DataError: There is no such child, or it has no text.
    """
    text = (parent.findtext(tag) or "").strip()
    if not text:
        raise DataError(f"{place}: <{tag}> is missing or empty")
    return text


def xml_number(parent: Element, tag: str, place: str) -> float:
    """Returns the number in a child element.

    Raises:
        DataError: There is no such child, or its text is not a finite number.
    """
    return parse_number(xml_text(parent, tag, place), f"<{tag}>", place)


def xml_size(parent: Element, height_tag: str, width_tag: str) -> tuple[int, int] | None:
    """Returns the image's height and width as an annotation tells them, None where it tells no positive sizes."""
    try:
        height, width = (int(parse_number(parent.findtext(tag) or "", "", "")) for tag in (height_tag, width_tag))
    except DataError:
        return None
    return (height, width) if height > 0 and width > 0 else None


def parse_number(text: str, what: str, place: str) -> float:
    """Converts text to a finite number; element or column, and file and object or line, are for the message.

    Raises:
        DataError: It is not a number in digits 0 to 9, or NaN or infinite.
    """
    try:
        value = float(text if text.isascii() and "_" not in text else "x")  # Python reads 1_0 and digits of any script
    except ValueError:
        raise DataError(f"{place}: {what} is {text!r}, which is not a number") from None
    if not math.isfinite(value):
        raise DataError(f"{place}: {what} is {text!r}, which is not a finite number; correct the annotation")
    return value


def parse_flag(text: str | None, what: str, place: str) -> bool:
    """Converts "0" or "1" to a truth value; missing or empty text means "0".

    Raises:
        DataError: It is something else.
    """
    stripped = (text or "").strip()
    if stripped not in ("", "0", "1"):
        raise DataError(f"{place}: {what} is {stripped!r}; valid are 0 and 1")
    return stripped == "1"


def class_index(class_name: str, classes: Sequence[str], place: str) -> int:
    """Returns the label of a class.

    Raises:
        DataError: The class is unknown. The message lists the known ones.
    """
    if class_name not in classes:
        raise DataError(f"{place}: unknown class {class_name!r}; known are {', '.join(classes)}")
    return list(classes).index(class_name)


def angle_factor(angles: Sequence[tuple[float, str]], published: str, stated: str | None) -> float:
    """Returns by what the angles of a split are multiplied to be in the published unit.

    Args:
        angles: Angle and place of each object.
        published: "radians" or "degrees".
        stated: The unit that `data.files.angle` says; None: the published one, unless the numbers look like the other.

    Raises:
        DataError: They do, or are no angles at all.
    """
    size, place = max(((abs(angle), place) for angle, place in angles), default=(0.0, ""))
    turned = sum(angle != 0 for angle, _ in angles)
    advice = "; give data.files.angle={} if they are, data.files.angle={} if not"
    if stated is None and published == "radians" and size > _FULL_TURN:
        raise DataError(f"{place}: the angle {size:g} looks like degrees{advice.format('degrees', 'radians')}")
    if stated is None and published == "degrees" and turned > 1 and size <= _FULL_TURN / 4:
        raise DataError(
            f"{place}: the largest of {turned} angles is {size:g}, which looks like radians"
            f"{advice.format('radians', 'degrees')}"
        )
    if size > 360:
        raise DataError(f"{place}: {size:g} is no angle in degrees or radians; correct the annotation")
    if stated in (None, published):
        return 1
    return math.radians(1) if published == "radians" else math.degrees(1)
