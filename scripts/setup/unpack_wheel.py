"""Takes the C library of TensorFlow and its C headers out of a wheel: unpack_wheel.py WHEEL FOLDER."""
import os
import shutil
import sys
import zipfile

HEADERS = ("include/tensorflow/", "include/tsl/", "include/xla/")
LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")

wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        path = name.removeprefix("tensorflow/")
        is_header = path.startswith(HEADERS) and path.endswith(".h")
        if path not in LIBRARIES and not is_header:
            continue
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        if not is_header:
            print(path, os.path.getsize(target) // 1_000_000, "MB", flush=True)
