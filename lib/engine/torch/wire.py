"""The frames between the kit and its worker; lib/engine/torch/wire.ts is the other end.

A frame is its length in bytes as an unsigned 64-bit number, little-endian, and then that many bytes of a safetensors
file. The file's metadata has one entry, "head": JSON with the request or answer. The tensors hold the rest.
The few lines here need no library but torch.
"""
import ctypes
import json
import struct

import torch

DTYPES = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def read_frame(file):
    """The bytes of one frame, or None if the other end has closed the pipe."""
    start = file.read(8)
    if len(start) < 8:
        return None
    length = struct.unpack("<Q", start)[0]
    data = bytearray(length)
    view, done = memoryview(data), 0
    while done < length:
        got = file.readinto(view[done:])
        if not got:
            return None
        done += got
    return data


def unpack(data):
    """Head and tensors of a frame. The tensors share the frame's memory."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    head = json.loads(header.pop("__metadata__")["head"])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        if begin == end:
            tensors[name] = torch.empty(entry["shape"], dtype=dtype)
            continue
        flat = torch.frombuffer(data, dtype=dtype, count=(end - begin) // dtype.itemsize, offset=8 + length + begin)
        tensors[name] = flat.view(entry["shape"])
    return head, tensors


def write_frame(file, head, tensors=None):
    """Writes one frame; tensors must be dense and in host memory."""
    header, size, parts = {"__metadata__": {"head": json.dumps(head)}}, 0, []
    for name, tensor in sorted((tensors or {}).items(), key=lambda item: -item[1].dtype.itemsize):
        data = tensor.detach().contiguous()
        count = data.numel() * data.dtype.itemsize
        header[name] = {"dtype": NAMES[data.dtype], "shape": list(data.shape), "data_offsets": [size, size + count]}
        size += count
        parts.append(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<QQ", 8 + len(text) + size, len(text)) + text)
    for data in parts:
        if data.numel() > 0:
            file.write(memoryview(bytes_of(data)))
    file.flush()


def bytes_of(tensor):
    """The memory of a dense tensor as bytes."""
    return (ctypes.c_char * (tensor.numel() * tensor.dtype.itemsize)).from_address(tensor.data_ptr())
