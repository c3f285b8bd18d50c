"""Unpacks the libraries and headers of a torch wheel: unpack.py WHEEL TARGET LIBRARY..., '*' for all libraries."""

import sys
import zipfile

wheel, target, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]

# Parts of torch/lib that only Python needs.
PYTHON_ONLY = ("libtorch_python", "libshm", "libtorchbind_test", "libjitbackend_test", "libbackend_with_compiler", "libaoti_custom")


def is_wanted(name: str) -> bool:
    if name.startswith("torch/include/"):
        return True
    if name.startswith("torch.libs/"):
        return "*" in wanted
    if not name.startswith("torch/lib/") or name.count("/") != 2:
        return False
    library = name.removeprefix("torch/lib/")
    if "*" in wanted:
        return not library.startswith(PYTHON_ONLY)
    return any(library.startswith(prefix) for prefix in wanted)


with zipfile.ZipFile(wheel) as archive:
    names = [name for name in archive.namelist() if not name.endswith("/") and is_wanted(name)]
    archive.extractall(target, names)  # extractall checks every file's CRC and keeps paths below the target
    print(len(names))
