"""Prints the devices of this Python's torch as one line of JSON, for trm-lab doctor."""
import json

import torch


def gpus(kind, count, bf16):
    module = getattr(torch, kind)
    for i in range(count):
        properties = module.get_device_properties(i)
        yield {"device": f"{kind}:{i}", "name": properties.name, "bytes": properties.total_memory, "bf16": bf16(i)}


found = []
if torch.cuda.is_available():
    native = lambda i: torch.version.hip is not None or torch.cuda.get_device_capability(i) >= (8, 0)
    found += gpus("cuda", torch.cuda.device_count(), native)
if torch.xpu.is_available():
    found += gpus("xpu", torch.xpu.device_count(), lambda _: True)
if torch.backends.mps.is_available():
    found.append({"device": "mps", "name": "Apple", "bytes": torch.mps.recommended_max_memory(), "bf16": False})
print(json.dumps({"torch": torch.__version__, "devices": found}))
