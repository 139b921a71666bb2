"""The rows of Tables II, III and IV as overrides of ``model=larsd``."""

BASELINE = ["model.anchors=false", "model.lasa=none", "model.levels=[P2]"]

VARIANTS: dict[str, list[str]] = {
    "Baseline": BASELINE,
    "LARSD-1": ["model.anchors=false", "model.lasa=rectangle-9", "model.levels=[P2]"],
    "LARSD-2": ["model.anchors=false", "model.lasa=diamond-5", "model.levels=[P2]"],
    "LARSD-3": ["model.anchors=false", "model.lasa=diamond-9", "model.levels=[P2]"],
    "LARSD-4": ["model.anchors=false", "model.lasa=diamond-13", "model.levels=[P2]"],
    "LARSD-5": ["model.anchors=false", "model.lasa=none", "model.levels=[P3]"],
    "LARSD-6": ["model.anchors=false", "model.lasa=none", "model.levels=[P4]"],
    "LARSD-7": ["model.anchors=false", "model.lasa=none"],
    "LARSD-8": ["model.anchors=false"],
    "LARSD-9": ["model.lasa=none", "model.levels=[P2]"],
    "LARSD-10": ["model.lasa=none"],
    "LARSD-11": [],
}
