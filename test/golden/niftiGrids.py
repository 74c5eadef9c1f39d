"""Writes test/golden/data/nifti-grids.json: NIfTI images as nibabel writes them, labels in their grids as nibabel writes these,
and what nibabel says of the real images in a folder (for tests with UNIMISS_LABELLED).

    python3 -m venv venv && venv/bin/pip install nibabel numpy
    venv/bin/python test/golden/niftiGrids.py test/golden/data/nifti-grids.json FOLDER_OF_LABELLED_IMAGES
"""

import base64
import json
import os
import sys

import nibabel as nib
import numpy as np

SHAPE = (5, 4, 3)


def turned(a, b, c):
    """A rotation by angles (rad) round x, y, z."""
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rz @ ry @ rx


def affine(rotation, mm, origin):
    return nib.affines.from_matvec(rotation @ np.diag(mm), origin)


def in_mm(matrix, units):
    factor = {"mm": 1, "micron": 1e-3}[units]
    return np.vstack([matrix[:3] * factor, matrix[3:]])


def encoded(image):
    return base64.b64encode(image.to_bytes()).decode()


def case(name, sform=None, scode=0, qform=None, qcode=0, make=nib.Nifti1Image, units="mm", dtype=np.int16, big=False):
    values = np.arange(np.prod(SHAPE), dtype=dtype).reshape(SHAPE, order="F")
    header = make.header_class(endianness=">" if big else "<")
    header.set_data_dtype(np.dtype(dtype).newbyteorder(">" if big else "<"))
    image = make(values, None, header)
    image.header.set_xyzt_units(units, "sec")
    image.set_qform(qform, qcode) if qform is not None else image.set_qform(None, 0)
    image.set_sform(sform, scode) if sform is not None else image.set_sform(None, 0)
    image.update_header()
    read = make.from_bytes(image.to_bytes())
    labels = make((values % 7).astype(np.uint8), None, read.header.copy())
    labels.header.set_data_dtype(np.uint8)
    labels.header.set_slope_inter(1, 0)
    return {
        "name": name,
        "image": encoded(image),
        "labels": encoded(labels),
        # nibabel prefers the sform and keeps the unit; here the form with the higher code counts, and mm.
        "affine": in_mm(read.header.get_qform() if qcode > scode else read.affine, units).tolist(),
        "codes": [int(read.header["qform_code"]), int(read.header["sform_code"])],
    }


OBLIQUE = affine(turned(0.3, -0.2, 0.5), (0.8, 1.2, 3), (-100.5, 20.25, 7))
FLIPPED = affine(np.diag([-1, -1, 1]), (0.8, 0.8, 2), (120, 90, -300))
LAS = affine(np.diag([-1, 1, 1]), (1, 1, 2.5), (60, -70, 12))
PERMUTED = affine(np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]), (1, 2, 3), (1, 2, 3))

cases = [
    case("oblique, both forms", OBLIQUE, 1, OBLIQUE, 1),
    case("flipped (LPS), both forms", FLIPPED, 2, FLIPPED, 1),
    case("left-handed (LAS)", LAS, 1, LAS, 1),
    case("coronal, permuted axes", PERMUTED, 1, PERMUTED, 1),
    case("qform only, oblique", qform=OBLIQUE, qcode=1),
    case("qform only, left-handed", qform=LAS, qcode=2),
    case("sform only, oblique", OBLIQUE, 4),
    case("sform only, sheared", OBLIQUE @ np.array([[1, 0.1, 0, 0], [0, 1, 0.05, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), 2),
    case("two forms that differ, qform with the higher code", FLIPPED, 1, OBLIQUE, 3),
    case("NIfTI-2, oblique", OBLIQUE, 1, OBLIQUE, 1, make=nib.Nifti2Image),
    case("big endian, floats", OBLIQUE, 1, OBLIQUE, 1, dtype=np.float32, big=True),
    case("micrometres", affine(np.eye(3), (800, 900, 1000), (0, 0, 5)), 1, units="micron"),
]
real = []
for folder, _, names in sorted(os.walk(sys.argv[2])):
    for name in sorted(n for n in names if n.endswith(".nii.gz")):
        path = os.path.join(folder, name)
        image = nib.load(path)
        data = np.asanyarray(image.dataobj).astype(np.float64)
        real.append(
            {
                "path": os.path.relpath(path, sys.argv[2]),
                "shape": list(image.shape),
                "affine": image.affine.tolist(),
                "axes": "".join(nib.aff2axcodes(image.affine)),
                "codes": [int(image.header["qform_code"]), int(image.header["sform_code"])],
                "type": str(image.get_data_dtype().name),
                "sum": float(data.sum()),
            }
        )
with open(sys.argv[1], "w") as out:
    json.dump({"nibabel": nib.__version__, "cases": cases, "real": real}, out, indent=1)
    out.write("\n")
