"""Dataset plumbing that papers share: image files, fingerprints, provenance, sampling."""

from retable.data.fingerprint import fingerprint_files
from retable.data.images import image_size, read_image, read_shown_image
from retable.data.listing import IMAGE_SUFFIXES, Listing, list_files
from retable.data.provenance import Provenance, combine_provenances

# retable.data.sampling is imported by name: it needs torch, the rest does not

__all__ = [
    "IMAGE_SUFFIXES",
    "Listing",
    "Provenance",
    "combine_provenances",
    "fingerprint_files",
    "image_size",
    "list_files",
    "read_image",
    "read_shown_image",
]
