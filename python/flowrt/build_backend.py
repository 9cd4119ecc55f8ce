# SPDX-License-Identifier: Apache-2.0
"""Builds the package (PEP 517) with the standard library alone, so that `pip install` needs no network."""

import base64
import hashlib
import pathlib
import tarfile
import zipfile

NAME, VERSION = "flowrt", "0.1.0"
METADATA = """Metadata-Version: 2.1
Name: %s
Version: %s
Summary: Compiled flow models (flowc) in Python: samples, log-densities, trajectories
License: Apache-2.0
Requires-Python: >=3.9
Requires-Dist: numpy>=1.20
""" % (NAME, VERSION)
WHEEL = "Wheel-Version: 1.0\nGenerator: flowrt\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _line(name, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return "%s,sha256=%s,%d\n" % (name, digest, len(data))


def _write(path, files):
    info, record = "%s-%s.dist-info" % (NAME, VERSION), ""
    files = dict(files, **{info + "/METADATA": METADATA.encode(), info + "/WHEEL": WHEEL.encode()})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in sorted(files.items()):
            wheel.writestr(zipfile.ZipInfo(name), data)
            record += _line(name, data)
        wheel.writestr(zipfile.ZipInfo(info + "/RECORD"), record + info + "/RECORD,,\n")
    return pathlib.Path(path).name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    package = pathlib.Path(__file__).parent / NAME
    files = {"%s/%s" % (NAME, source.name): source.read_bytes() for source in package.glob("*.py")}
    return _write(pathlib.Path(wheel_directory) / ("%s-%s-py3-none-any.whl" % (NAME, VERSION)), files)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    here = str(pathlib.Path(__file__).parent.resolve())
    return _write(pathlib.Path(wheel_directory) / ("%s-%s-py3-none-any.whl" % (NAME, VERSION)), {"%s.pth" % NAME: here.encode()})


def build_sdist(sdist_directory, config_settings=None):
    here, base = pathlib.Path(__file__).parent, "%s-%s" % (NAME, VERSION)
    with tarfile.open(pathlib.Path(sdist_directory) / (base + ".tar.gz"), "w:gz") as archive:
        for source in ["pyproject.toml", "build_backend.py", "README.md", *("%s/%s" % (NAME, p.name) for p in sorted((here / NAME).glob("*.py")))]:
            archive.add(here / source, "%s/%s" % (base, source))
    return base + ".tar.gz"
