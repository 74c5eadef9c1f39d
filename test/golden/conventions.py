"""Writes test/golden/data/conventions.json: what MONAI, MedPy, surface-distance and nnU-Net say about masks that tests can compute.

    python3 -m venv venv && venv/bin/pip install numpy scipy monai medpy surface-distance nnunetv2
    venv/bin/python test/golden/conventions.py

Masks are unions of ellipsoids: sum(((i - centre) / radii)^2) <= 1 over indices. NaN is null, infinity is "infinite", and a
refusal (MedPy raises for empty masks) is "error". Label maps are painted: an ellipsoid of the value of each, in order, on 0.
"""
import importlib.metadata
import json
import math
import pathlib
import warnings

import numpy as np
import scipy.ndimage

# surface-distance 0.1 uses names that NumPy 2 and SciPy 1.15 have removed.
np.Inf, np.NaN = np.inf, np.nan
scipy.ndimage.filters = scipy.ndimage.morphology = scipy.ndimage

import torch
from medpy.metric import binary
from monai.metrics import compute_average_surface_distance, compute_dice, compute_hausdorff_distance, compute_iou, compute_surface_dice
from nnunetv2.evaluation.evaluate_predictions import compute_metrics
import surface_distance

warnings.filterwarnings("ignore")

E = lambda centre, radii: {"centre": centre, "radii": radii}
CASES = [
    {"name": "anisotropic", "shape": [20, 24, 28], "spacing": [3.0, 1.0, 1.0], "toleranceMm": 2.0,
     "prediction": [E([10, 12, 14], [5, 7, 8])], "truth": [E([9, 13, 13], [5, 6, 9])]},
    {"name": "far apart, two parts", "shape": [30, 40, 36], "spacing": [2.5, 0.7, 0.9], "toleranceMm": 1.5,
     "prediction": [E([6, 8, 9], [4, 6, 5]), E([24, 33, 28], [3, 4, 5])], "truth": [E([7, 9, 10], [5, 5, 5])]},
    {"name": "at the border", "shape": [12, 16, 14], "spacing": [1.0, 1.0, 1.0], "toleranceMm": 1.0,
     "prediction": [E([0, 2, 13], [5, 6, 4])], "truth": [E([1, 0, 12], [4, 7, 5])]},
    {"name": "single voxels", "shape": [6, 7, 8], "spacing": [2.0, 1.5, 1.0], "toleranceMm": 2.0,
     "prediction": [E([2, 3, 4], [0.5, 0.5, 0.5])], "truth": [E([3, 3, 6], [0.5, 0.5, 0.5])]},
    {"name": "equal", "shape": [16, 16, 16], "spacing": [0.8, 0.8, 1.5], "toleranceMm": 1.0,
     "prediction": [E([8, 8, 8], [4, 5, 6])], "truth": [E([8, 8, 8], [4, 5, 6])]},
    {"name": "picture", "shape": [64, 48], "spacing": [0.5, 0.5], "toleranceMm": 1.0,
     "prediction": [E([30, 24], [12, 10])], "truth": [E([33, 22], [11, 12])]},
    {"name": "picture, oblong pixels", "shape": [40, 60], "spacing": [1.2, 0.4], "toleranceMm": 0.8,
     "prediction": [E([12, 24], [8, 17]), E([33, 50], [4, 9])], "truth": [E([14, 22], [7, 19])]},
    {"name": "missed", "shape": [10, 11, 12], "spacing": [2.0, 1.0, 1.0], "toleranceMm": 1.0,
     "prediction": [], "truth": [E([5, 5, 5], [3, 3, 3])]},
    {"name": "false positive", "shape": [10, 11, 12], "spacing": [2.0, 1.0, 1.0], "toleranceMm": 1.0,
     "prediction": [E([5, 5, 5], [3, 3, 3])], "truth": []},
    {"name": "both empty", "shape": [10, 11, 12], "spacing": [2.0, 1.0, 1.0], "toleranceMm": 1.0,
     "prediction": [], "truth": []},
]

# Classes and regions of label maps, as nnU-Net evaluates them: what the reference marks as ignored counts for nothing.
P = lambda value, centre, radii: {"value": value, "centre": centre, "radii": radii}
LABEL_MAPS = [
    {"name": "regions, an ignored part, a class that only the prediction has, one that only the reference has, one that neither has",
     "shape": [14, 18, 20], "spacing": [2.0, 1.0, 1.0], "classes": [[1], [2], [1, 2], [3], [4], [5]], "ignore": 9,
     "prediction": [P(1, [6, 8, 9], [5, 6, 7]), P(2, [6, 8, 11], [3, 3, 4]), P(3, [11, 14, 16], [2, 2, 3])],
     "truth": [P(1, [7, 9, 9], [5, 6, 6]), P(2, [7, 8, 10], [3, 4, 3]), P(4, [2, 3, 3], [1, 2, 2]), P(9, [7, 13, 9], [4, 3, 5])]},
    {"name": "a picture, nothing ignored",
     "shape": [40, 50], "spacing": [0.5, 0.5], "classes": [[1], [2], [1, 2]], "ignore": None,
     "prediction": [P(1, [20, 22], [12, 10]), P(2, [24, 30], [6, 9])], "truth": [P(1, [19, 24], [11, 12]), P(2, [22, 32], [7, 8])]},
]


def mask(shape, ellipsoids):
    index = np.indices(shape).reshape(len(shape), -1).T.astype(float)
    inside = np.zeros(len(index), bool)
    for e in ellipsoids:
        inside |= (((index - np.array(e["centre"])) / np.array(e["radii"])) ** 2).sum(1) <= 1
    return inside.reshape(shape)


def attempt(function):
    try:
        value = float(function())
    except (RuntimeError, ZeroDivisionError):
        return "error"
    return None if math.isnan(value) else "infinite" if math.isinf(value) else value


def monai(p, t, spacing, tolerance):
    p, t = (torch.from_numpy(m)[None, None].float() for m in (p, t))
    own = {"include_background": True}
    return {
        "dice": attempt(lambda: compute_dice(p, t, **own)),
        "iou": attempt(lambda: compute_iou(p, t, **own)),
        "hd95": attempt(lambda: compute_hausdorff_distance(p, t, percentile=95, spacing=spacing, **own)),
        "assd": attempt(lambda: compute_average_surface_distance(p, t, symmetric=True, spacing=spacing, **own)),
        "surfaceDice": attempt(lambda: compute_surface_dice(p, t, [tolerance], spacing=spacing, **own)),
    }


def medpy(p, t, spacing, tolerance):
    return {
        "dice": attempt(lambda: binary.dc(p, t)),
        "iou": attempt(lambda: binary.jc(p, t)),
        "hd95": attempt(lambda: binary.hd95(p, t, spacing)),
        "assd": attempt(lambda: binary.assd(p, t, spacing)),
    }


def deepmind(p, t, spacing, tolerance):
    distances = surface_distance.compute_surface_distances(t, p, spacing)
    return {
        "dice": attempt(lambda: surface_distance.compute_dice_coefficient(t, p)),
        "hd95": attempt(lambda: surface_distance.compute_robust_hausdorff(distances, 95)),
        "assd": attempt(lambda: np.mean(surface_distance.compute_average_surface_distance(distances))),
        "surfaceDice": attempt(lambda: surface_distance.compute_surface_dice_at_tolerance(distances, tolerance)),
    }


def label_map(shape, ellipsoids):
    labels = np.zeros(shape, np.uint8)
    for e in ellipsoids:
        labels[mask(shape, [e])] = e["value"]
    return labels


class Arrays:
    """Stands for nnU-Net's reader of files: a "file" is an array."""

    @staticmethod
    def read_seg(array):
        return array, {}


def nnunet_metrics(p, t, classes, ignore):
    keys = [tuple(values) for values in classes]
    metrics = compute_metrics(t, p, Arrays, keys, ignore)["metrics"]
    return [
        {
            "dice": attempt(lambda: metrics[key]["Dice"]),
            "iou": attempt(lambda: metrics[key]["IoU"]),
            "predictedVoxels": int(metrics[key]["n_pred"]),
            "referenceVoxels": int(metrics[key]["n_ref"]),
        }
        for key in keys
    ]


def nnunet(p, t, spacing, tolerance):
    (one,) = nnunet_metrics(p.astype(np.uint8), t.astype(np.uint8), [[1]], None)
    return {"dice": one["dice"], "iou": one["iou"]}


for case in CASES:
    p, t = mask(case["shape"], case["prediction"]), mask(case["shape"], case["truth"])
    for convention in (monai, medpy, deepmind, nnunet):
        case[convention.__name__] = convention(p, t, case["spacing"], case["toleranceMm"])
for one in LABEL_MAPS:
    p, t = (label_map(one["shape"], one[side]) for side in ("prediction", "truth"))
    one["nnunet"] = nnunet_metrics(p, t, one["classes"], one["ignore"])
tools = ("monai", "medpy", "surface-distance", "nnunetv2", "numpy", "scipy", "torch")
versions = {name: importlib.metadata.version(name) for name in tools}
file = pathlib.Path(__file__).parent / "data" / "conventions.json"
file.write_text(json.dumps({"versions": versions, "cases": CASES, "labelMaps": LABEL_MAPS}, indent=1) + "\n")
