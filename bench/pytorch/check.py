"""Holds trm.py to the reference's numbers: first-step logits, losses and gradients of two fixtures.

python check.py ../../test/reference
"""
import json
import sys

import torch
from trm import Trm, read_safetensors

for name in ("trm-mlp", "trm-attention"):
    tensors, _ = read_safetensors(f"{sys.argv[1]}/{name}.safetensors")
    fields = json.load(open(f"{sys.argv[1]}/{name}.json"))
    c = fields["config"]
    config = dict(deepRecursions=c["H_cycles"], latentRecursions=c["L_cycles"], layers=c["L_layers"],
                  hiddenSize=c["hidden_size"], heads=c["num_heads"], mixer="mlp" if c["mlp_t"] else "attention",
                  puzzlePrefix=c["puzzle_emb_len"], sequenceLength=c["seq_len"])
    weights = {key[len("init/inner."):]: value for key, value in tensors.items() if key.startswith("init/inner.")}
    model = Trm(weights, config)
    batch = (tensors[f"step0/batch_{key}"] for key in ("inputs", "labels", "puzzle_identifiers"))
    answer, halt, logits, rows = model.train_step(*batch)
    loss = (answer.sum() + 0.5 * halt.sum()).item()
    expected = fields["metrics"][0]["loss_sum"]
    assert abs(loss - expected) < 1e-5 * expected, (name, loss, expected)
    assert (logits - tensors["step0/logits"]).abs().max() < 2e-4, name
    for key, parameter in model.parameters.items():
        reference = tensors[f"grad0/inner.{key}"]
        error = (parameter.grad - reference).norm() / reference.norm().clamp(min=1e-9)
        assert error < 1e-3, (name, key, error)
    print(f"{name}: loss {loss:.6f}, logits and {len(model.parameters)} gradients agree")
