"""The network of a TRM in PyTorch, op by op as lib/engine/tfjs/network.ts has it.

Shapes: B seats, L cells, P prefix tokens, S = P + L, D hidden size, V vocabulary, H heads of d = D/H.
Products take the type of their input; norms, rotary positions and losses are float32 or wider (spec 1.12).
"""
import math

import torch
import torch.nn.functional as F


def rms_norm(x):
    """x / sqrt(mean of x squared over the last axis + 1e-5), without weights."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-5)).to(x.dtype)


def linear(x, weight):
    """x times the transposed weight. The weight is cast at every use, so that gradients are summed in its own type."""
    return F.linear(x, weight.to(x.dtype))


def swiglu(x, gate_up, down):
    """W_down (silu(W_gate x) * (W_up x))."""
    gate, up = linear(x, gate_up).chunk(2, -1)
    return linear(F.silu(gate) * up, down)


def attention(x, qkv, out, heads, rotary):
    """softmax(q k / sqrt(d)) v, all heads at once, no mask. [B, S, D] to [B, S, D]"""
    B, S, D = x.shape
    q, k, v = linear(x, qkv).view(B, S, 3 * heads, D // heads).transpose(1, 2).chunk(3, 1)  # [B, H, S, d] each
    if rotary is not None:
        q, k = rotate(q, *rotary), rotate(k, *rotary)
    mixed = F.scaled_dot_product_attention(q, k, v)
    return linear(mixed.transpose(1, 2).reshape(B, S, D), out)


def rotate(q, cos, sin):
    """q cos + rot(q) sin, rot([a, b]) = [-b, a] on halves, in float32."""
    a, b = q.chunk(2, -1)
    return (q * cos + torch.cat((-b, a), -1) * sin).to(q.dtype)


def rotary_tables(positions, size, device):
    """Cosines and sines of position / 10000^(2j/d), [S, d], both halves alike."""
    frequencies = 1.0 / 10000 ** (torch.arange(0, size, 2, dtype=torch.float32) / size)
    angles = torch.outer(torch.arange(positions, dtype=torch.float32), frequencies).repeat(1, 2)
    return angles.cos().to(device), angles.sin().to(device)


def call_net(sources, layers, heads, rotary):
    """One call: sums the sources from left to right, then applies each layer. heads 0: an MLP over positions.

    A layer is (mixer in, mixer out, channel in, channel out). [B, S, D] to [B, S, D]
    """
    h = sources[0]
    for source in sources[1:]:
        h = h + source
    for mixer_in, mixer_out, channel_in, channel_out in layers:
        if heads == 0:
            u = h.transpose(1, 2)  # [B, D, S]: the norm runs over the sequence, channel by channel
            h = rms_norm(u + swiglu(u, mixer_in, mixer_out)).transpose(1, 2)
        else:
            h = rms_norm(h + attention(h, mixer_in, mixer_out, heads, rotary))
        h = rms_norm(h + swiglu(h, channel_in, channel_out))
    return h


def embed(weights, tokens, rows, prefix, dtype):
    """sqrt(D) (puzzle prefix ++ token embeddings), mixed with learned positions where there are some. [B, S, D]"""
    table = weights["embed_tokens.embedding_weight"]
    D = table.shape[1]
    x = F.embedding(tokens, table.to(dtype))
    if rows is not None:
        front = F.pad(rows.to(dtype), (0, prefix * D - rows.shape[1])).view(-1, prefix, D)
        x = torch.cat((front, x), 1)
    if "embed_pos.embedding_weight" in weights:
        x = math.sqrt(0.5) * (x + weights["embed_pos.embedding_weight"].to(dtype))
    return math.sqrt(D) * x


def heads_of(weights, y, prefix):
    """Logits of every cell, [B, L, V], and the two halting logits of position 0, [B, 2]."""
    logits = linear(y[:, prefix:], weights["lm_head.weight"])
    halting = F.linear(y[:, 0], weights["q_head.weight"].to(y.dtype), weights["q_head.bias"].to(y.dtype))
    return logits, halting.float()


def losses_of(logits, halting, labels, targets, softmax, wide):
    """Predictions, and the answer, halt and continue losses of each seat (spec 3), in the type `wide`."""
    scored = labels != -100
    predictions = logits.argmax(-1)
    x = logits.to(wide)
    if softmax:
        log_p = F.log_softmax(x, -1)
    else:
        # Each branch is finite where the other one is taken, so the gradient never has infinity times zero.
        s = torch.where(x < 0, 1 / (1 - x.clamp(max=0)), x + 1)
        log_p = torch.log(s / s.sum(-1, keepdim=True))
    of_label = log_p.gather(-1, labels.clamp(min=0).long().unsqueeze(-1)).squeeze(-1)
    answer = -(of_label * scored).sum(-1) / scored.sum(-1).clamp(min=1)
    right = ((predictions == labels) | ~scored).all(-1).float()
    halt = F.binary_cross_entropy_with_logits(halting[:, 0], right, reduction="none")
    go = torch.zeros_like(halt)
    if targets is not None:
        go = F.binary_cross_entropy_with_logits(halting[:, 1], targets, reduction="none")
    return predictions, answer, halt.to(wide), go.to(wide)
