"""Folders, image lists and XML of detection datasets, read with errors that name file and line."""

import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from retable.data import IMAGE_SUFFIXES, Listing, list_files
from retable.errors import DataError

_LISTED_SUFFIXES = IMAGE_SUFFIXES | {".txt", ".xml"}


def checked_root(root: str | Path | None, name: str) -> Path:
    """Returns the folder of a dataset of this name, the value of `data.root`, as a path.

    Raises:
        DataError: There is no such folder, or it is empty.
    """
    if root is None or not str(root).strip():
        raise DataError(f"{name}: data.root is not set; give the folder of the dataset, data.root=PATH")
    path = Path(root).expanduser()
    if not path.exists():
        raise DataError(f"{name}: data.root={root} does not exist; give the folder of the dataset")
    if not path.is_dir():
        raise DataError(f"{name}: data.root={root} is a file; give the folder of the dataset (unpack an archive first)")
    if not any(path.iterdir()):
        raise DataError(f"{name}: data.root={root} is an empty folder")
    return path


def first_folder(name: str, what: str, candidates: Sequence[Path]) -> Path:
    """Returns the first of several folders that exists; the dataset's name and what they hold are for the message.

    Raises:
        DataError: None exists. The message lists them.
    """
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise DataError(f"{name}: no folder with {what}; looked for {', '.join(map(str, candidates))}")


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


def find_list(name: str, places: Sequence[Path], split: str) -> Path:
    """Returns the image list of a split, ``SPLIT.txt``, from the first of the folders that has it.

    Raises:
        DataError: There is none. The message says which there are.
    """
    for place in places:
        if (path := place / f"{split}.txt").is_file():
            return path
    raise DataError(f"{name}: no list {split}.txt in {places[0]}; found {', '.join(listed_splits(places)) or 'none'}")


def listed_splits(places: Sequence[Path]) -> list[str]:
    """Returns the names of the image lists in some folders, sorted; folders that are not there have none."""
    return sorted({path.stem for place in places for path in place.glob("*.txt")})


def files_by_stem(listing: Listing, folder: Path) -> dict[str, Path]:
    """Returns the files of a folder by their names without endings, which join images, annotations and lists.

    An annotation may bear the image's whole name, ``a.png.txt``, as those of predictions do.

    Raises:
        DataError: Two files differ in their ending or subfolder alone.
    """
    found: dict[str, str] = {}
    for name, path in listing.files.items():
        other = found.setdefault(stem_of(path), name)
        if other != name:
            raise DataError(f"{folder}: {other} and {name} have the same name before the ending; keep one of them")
    return {stem: listing.files[name] for stem, name in found.items()}


def stem_of(path: Path) -> str:
    """Returns a file's name without the endings of images and annotations."""
    name = path.name
    while Path(name).suffix.lower() in _LISTED_SUFFIXES:
        name = Path(name).stem
    return name


def match_files(
    name: str,
    image_ids: Sequence[str],
    list_path: Path | None,
    image_folder: Path,
    annotation_folder: Path,
    suffix: str,
) -> list[tuple[str, Path, Path]]:
    """Finds image and annotation of each name of a list.

    Args:
        name: The dataset's name, for messages.
        image_ids: Names without ending.
        list_path: Where the names come from, for messages; None where they are the folder's own files.
        image_folder: Where the images lie.
        annotation_folder: Where the annotations lie.
        suffix: Ending of the annotations, such as ".xml".

    Returns:
        Name, image file and annotation file of each, in the order of the list.

    Raises:
        DataError: An image or an annotation is missing. The message says how many are and names the first.
    """
    images = files_by_stem(list_files(image_folder), image_folder)
    annotations = files_by_stem(list_files(annotation_folder, (suffix,), "annotations"), annotation_folder)
    source = "" if list_path is None else f" that {list_path} lists"
    for what, found, folder, advice in (
        ("image", images, image_folder, "add the image, or take the name out"),
        ("annotation", annotations, annotation_folder, "add one; for an image without objects, a file without any"),
    ):
        missing = [image_id for image_id in image_ids if image_id not in found]
        if missing:
            raise DataError(
                f"{name}: {len(missing)} of {len(image_ids)} images{source} have no {what} in {folder}, "
                f"first {missing[0]}; {advice}"
            )
    return [(image_id, images[image_id], annotations[image_id]) for image_id in image_ids]


def parse_xml(path: Path, root_tag: str) -> Element:
    """Parses an XML file with a root of this tag, without following entities.

    Raises:
        DataError: The file is unreadable, malformed, declares entities, or has another root.
    """
    try:
        root = defusedxml.ElementTree.fromstring(path.read_bytes())
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
    if not isinstance(root, Element) or root.tag != root_tag:
        raise DataError(f"{path}: the XML's root is <{getattr(root, 'tag', '?')}>, expected <{root_tag}>")
    return root


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
        height, width = (int(float(parent.findtext(tag) or "")) for tag in (height_tag, width_tag))
    except (ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None


def parse_number(text: str, what: str, place: str) -> float:
    """Converts text to a finite number; element or column, and file and object or line, are for the message.

    Raises:
        DataError: It is not a number, or NaN or infinite.
    """
    try:
        value = float(text)
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
