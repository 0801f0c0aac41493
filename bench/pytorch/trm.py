"""A short PyTorch TRM, written from the specification, to be timed beside our engines.

check.py holds it to the reference's numbers.

Weights are a dictionary by the reference's names. T = deep recursions, n = latent recursions;
gradient in the last recursion only.
"""
import json
import math
import struct

import torch
import torch.nn.functional as F

TYPES = {"F32": torch.float32, "I32": torch.int32}


def read_safetensors(path):
    """Tensors and metadata of a file; only the types our files use."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    body = bytearray(data[8 + length :])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(body, dtype=TYPES[entry["dtype"]], count=(end - begin) // 4, offset=begin)
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors, metadata


def rms_norm(x):
    """x / sqrt(mean of squares over the last axis + 1e-5), in float32."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-5)).to(x.dtype)


def swiglu(x, gate_up, down):
    gate, up = F.linear(x, gate_up).chunk(2, -1)
    return F.linear(F.silu(gate) * up, down)


def attention(x, qkv, out, heads, rotary):
    batch, positions, width = x.shape
    q, k, v = F.linear(x, qkv).view(batch, positions, 3 * heads, width // heads).transpose(1, 2).chunk(3, 1)
    if rotary is not None:
        cos, sin = rotary
        turn = lambda t: ((t * cos) + (torch.cat((-t.chunk(2, -1)[1], t.chunk(2, -1)[0]), -1) * sin)).to(x.dtype)
        q, k = turn(q), turn(k)
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, positions, width)
    return F.linear(mixed, out)


def net(h, layers, heads, rotary):
    """All layers of the network; a layer is (mixer in, mixer out, channel in, channel out).

    heads = 0: MLP over positions.
    """
    for mixer_in, mixer_out, channel_in, channel_out in layers:
        if heads == 0:
            u = h.transpose(1, 2)
            h = rms_norm(u + swiglu(u, mixer_in, mixer_out)).transpose(1, 2)
        else:
            h = rms_norm(h + attention(h, mixer_in, mixer_out, heads, rotary))
        h = rms_norm(h + swiglu(h, channel_in, channel_out))
    return h


class Trm:
    def __init__(self, weights, config, dtype=torch.float32, compiled=False):
        self.config, self.dtype = config, dtype
        self.buffers = {name: weights[name] for name in ("H_init", "L_init", "puzzle_emb.weights")}
        self.parameters = {
            name: tensor.requires_grad_() for name, tensor in weights.items() if name not in self.buffers
        }
        self.net = torch.compile(net, dynamic=False) if compiled else net
        self.heads = config["heads"] if config["mixer"] == "attention" else 0
        self.rotary = None
        if self.heads:
            size = config["hiddenSize"] // self.heads
            positions = config["puzzlePrefix"] + config["sequenceLength"]
            frequencies = 1.0 / 10000 ** (torch.arange(0, size, 2, dtype=torch.float32) / size)
            angles = torch.outer(torch.arange(positions, dtype=torch.float32), frequencies).repeat(1, 2)
            self.rotary = (angles.cos(), angles.sin())
        names = [name for name in weights if name.startswith("L_level.layers.")]
        self.layer_names = []
        for layer in range(config["layers"]):
            attention, mlp = ("self_attn.qkv_proj", "self_attn.o_proj"), ("mlp_t.gate_up_proj", "mlp_t.down_proj")
            parts = (*(attention if self.heads else mlp), "mlp.gate_up_proj", "mlp.down_proj")
            self.layer_names.append([f"L_level.layers.{layer}.{part}.weight" for part in parts])
        assert len(names) == 4 * config["layers"]
        self.moments = {
            name: (torch.zeros_like(p), torch.zeros_like(p), p.detach().clone()) for name, p in self.parameters.items()
        }
        self.steps = 0

    def embed(self, tokens, rows):
        width, prefix = self.config["hiddenSize"], self.config["puzzlePrefix"]
        x = F.embedding(tokens, self.parameters["embed_tokens.embedding_weight"].to(self.dtype))
        front = F.pad(rows.to(self.dtype), (0, prefix * width - rows.shape[1])).view(-1, prefix, width)
        return math.sqrt(width) * torch.cat((front, x), 1)

    def think(self, y, z, tokens, rows):
        """One supervision step: new latents, logits, halting logits."""
        T, n = self.config["deepRecursions"], self.config["latentRecursions"]
        layers = [[self.parameters[name].to(self.dtype) for name in names] for names in self.layer_names]
        x = self.embed(tokens, rows)

        def recursion(y, z):
            for _ in range(n):
                z = self.net(z + (y + x), layers, self.heads, self.rotary)
            return self.net(y + z, layers, self.heads, self.rotary), z

        with torch.no_grad():
            for _ in range(T - 1):
                y, z = recursion(y, z)
        y, z = recursion(y, z)
        logits = F.linear(y[:, self.config["puzzlePrefix"] :], self.parameters["lm_head.weight"].to(self.dtype))
        weight, bias = (self.parameters[f"q_head.{part}"].to(self.dtype) for part in ("weight", "bias"))
        halting = F.linear(y[:, 0], weight, bias).float()
        return y, z, logits, halting

    def start(self, batch):
        shape = (batch, self.config["puzzlePrefix"] + self.config["sequenceLength"], self.config["hiddenSize"])
        return [self.buffers[name].to(self.dtype).expand(shape) for name in ("H_init", "L_init")]

    def losses(self, logits, halting, labels):
        """Per seat: stablemax cross-entropy in double precision, and binary cross-entropy of the halting logit."""
        scored = labels != -100
        count = scored.sum(-1).clamp(min=1)
        wide = logits.double()
        s = torch.where(wide < 0, 1 / (1 - wide + 1e-30), wide + 1)
        log_p = torch.log(s / s.sum(-1, keepdim=True)).gather(-1, labels.clamp(min=0).long().unsqueeze(-1)).squeeze(-1)
        answer = (-log_p * scored).sum(-1) / count
        right = ((logits.argmax(-1) == labels) | ~scored).all(-1)
        halt = F.binary_cross_entropy_with_logits(halting[:, 0], right.float(), reduction="none")
        return answer, halt

    def train_step(self, tokens, labels, ids):
        rows = self.buffers["puzzle_emb.weights"][ids.long()].requires_grad_()
        y, z, logits, halting = self.think(*self.start(len(ids)), tokens, rows)
        answer, halt = self.losses(logits, halting, labels)
        ((answer.sum() + 0.5 * halt.sum()) / len(ids)).backward()
        return answer, halt, logits, rows

    @torch.no_grad()
    def update(self, rate=1e-4, decay=1.0, beta1=0.9, beta2=0.95, ema=0.999, rows=None):
        """AdamATan2 and EMA over all tensors at once; SignSGD on the one puzzle row of these cases."""
        self.steps += 1
        if rows is not None:
            self.buffers["puzzle_emb.weights"].mul_(1 - rate * decay).sub_(rate * rows.grad.sum(0).sign())
        used = [(p, *self.moments[name]) for name, p in self.parameters.items() if p.grad is not None]
        p, m, v, average = ([entry[i] for entry in used] for i in range(4))
        g = [each.grad for each in p]
        torch._foreach_mul_(p, 1 - rate * decay)
        torch._foreach_lerp_(m, g, 1 - beta1)
        torch._foreach_lerp_(v, torch._foreach_mul(g, g), 1 - beta2)
        deviation = torch._foreach_sqrt(v)
        torch._foreach_div_(deviation, math.sqrt(1 - beta2**self.steps))
        torch._foreach_add_(p, [torch.atan2(a, b) for a, b in zip(m, deviation)], alpha=-rate / (1 - beta1**self.steps))
        torch._foreach_lerp_(average, p, 1 - ema)
        for each in p:
            each.grad = None
