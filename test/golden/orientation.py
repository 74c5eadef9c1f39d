"""Writes test/golden/data/orientation.json: affines of all 48 ways to store a volume along the body, of oblique ones and of sheared ones, and what
nibabel says of them: the letters of their axes, and where some voxels lie.

    python3 -m venv venv && venv/bin/pip install nibabel numpy
    venv/bin/python test/golden/orientation.py test/golden/data/orientation.json
"""

import itertools
import json
import sys

import nibabel as nib
import numpy as np

SHAPE = (7, 6, 5)
POINTS = [[0, 0, 0], [6, 5, 4], [1, 2, 3]]
random = np.random.default_rng(20261128)


def rotation(degrees):
    """A random axis, turned by so many degrees (Rodrigues)."""
    axis = random.normal(size=3)
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def case(name, matrix):
    affine = nib.affines.from_matvec(matrix, random.uniform(-200, 200, size=3))
    return {
        "name": name,
        "affine": affine[:3].tolist(),
        "axes": "".join(nib.aff2axcodes(affine)),
        "points": nib.affines.apply_affine(affine, np.array(POINTS)).tolist(),
    }


cases = []
for order in itertools.permutations(range(3)):
    for signs in itertools.product([1, -1], repeat=3):
        along = np.zeros((3, 3))
        for axis, (world, sign) in enumerate(zip(order, signs)):
            along[world, axis] = sign
        mm = np.diag(random.uniform(0.5, 6, size=3))
        name = "".join("RASLPI"[w + (0 if s > 0 else 3)] for w, s in zip(order, signs))
        cases.append(case(name, along @ mm))
        for degrees in (10, 25, 38):
            cases.append(case(f"{name}, turned by {degrees}°", rotation(degrees) @ along @ mm))
        sheared = along.copy()
        sheared[2, 1] += 0.3  # a tilted gantry
        cases.append(case(f"{name}, sheared", sheared @ mm))

with open(sys.argv[1], "w") as file:
    json.dump({"nibabel": nib.__version__, "shape": SHAPE, "voxels": POINTS, "cases": cases}, file, indent=1)
    file.write("\n")
