"""One mode of PyTorch on one case: reads the case's file, then times a step whenever a line comes in.

Answers in JSON lines.
"""
import json
import os
import resource
import sys
import time

import torch
from trm import Trm, read_safetensors

tensors, metadata = read_safetensors(os.environ["BENCH_CASE"])
dtype = {"float32": torch.float32, "bf16": torch.bfloat16}[os.environ["BENCH_PRECISION"]]
tokens, labels, ids = (tensors.pop(f"batch/{name}") for name in ("tokens", "labels", "puzzleIds"))
model = Trm(tensors, json.loads(metadata["config"]), dtype, os.environ["BENCH_MODE"] == "compiled")


def train():
    answer, _, _, rows = model.train_step(tokens, labels, ids)
    model.update(rows=rows)
    return answer


def infer():
    with torch.no_grad():
        return model.think(*model.start(len(ids)), tokens, model.buffers["puzzle_emb.weights"][ids.long()])


def timed(act):
    started = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - started)


for line in sys.stdin:
    question = line.strip()
    if question == "start":
        loss = train().mean().item()
        reply = {"loss": loss if loss == loss else None}  # JSON has no NaN
        train(), infer(), infer()  # compiles what is compiled
    elif question == "round":
        reply = {"train": timed(train), "infer": timed(infer)}
    else:
        reply = {"peakMemory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    print(json.dumps(reply), flush=True)
