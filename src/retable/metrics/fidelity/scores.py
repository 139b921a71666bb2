"""The scores of generated images on given features, by torch-fidelity, but for the Fréchet distance.

torch-fidelity's own seeds are kept, so that the same features always give the same numbers. Where there are fewer
samples than a score's published setting asks for, the setting shrinks; N has to be told with the number.
"""

from __future__ import annotations

from torch import Tensor

SPLITS, SAMPLES_FOR_SPLITS = 10, 1000
KERNEL_SUBSETS, KERNEL_SUBSET_SIZE = 100, 1000
NEIGHBOURHOOD = 3
_SEED = 2020
_BLOCK = 1000  # rows of the distances that are held at a time


def inception_score(logits: Tensor) -> float:
    """Computes exp E KL(p(y|x) || p(y)) (Salimans et al. 2016), the mean over ten splits.

    Args:
        logits: (N, K) of N generated images; below 1,000 images there is one split of all.

    Returns:
        From 1, where all images are of one class or of all alike, to K.
    """
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

    splits = SPLITS if len(logits) >= SAMPLES_FOR_SPLITS else 1
    return float(isc_features_to_metric(logits, splits=splits, shuffle=True, rng_seed=_SEED)[KEY_METRIC_ISC_MEAN])


def kernel_distance(fake: Tensor, real: Tensor) -> float:
    """Computes KID (Binkowski et al. 2018): the unbiased squared MMD with a cubic kernel, the mean over 100 subsets.

    Args:
        fake: (N, d) features of generated images, N of 2 or more.
        real: (M, d) features of real images, M of 2 or more.

    Returns:
        About 0 for one distribution, and then as often below it; subsets of 1,000, or of all where there are fewer.
    """
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    found = kid_features_to_metric(
        fake.double(),
        real.double(),
        kid_subsets=KERNEL_SUBSETS,
        kid_subset_size=min(KERNEL_SUBSET_SIZE, len(fake), len(real)),
        rng_seed=_SEED,
        verbose=False,
    )
    return float(found[KEY_METRIC_KID_MEAN])


def precision_recall(fake: Tensor, real: Tensor) -> tuple[float, float]:
    """Computes improved precision and recall (Kynkaanniemi et al. 2019) with balls to the third neighbour.

    Args:
        fake: (N, d) features of generated images, N of 2 or more.
        real: (M, d) features of real images, M of 2 or more.

    Returns:
        The share of generated images within the real ones' balls, and of real images within the generated ones'.
    """
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    found = prc_features_to_metric(
        fake,
        real,
        prc_neighborhood=min(NEIGHBOURHOOD, len(fake) - 1, len(real) - 1),
        prc_batch_size=_BLOCK,
        save_cpu_ram=True,
        verbose=False,
    )
    return float(found[KEY_METRIC_PRECISION]), float(found[KEY_METRIC_RECALL])
