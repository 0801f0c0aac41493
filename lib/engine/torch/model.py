"""One model on one device: its tensors, the interpreter of its schedule, and the optimizers (spec 4)."""
import math

import torch

import network

KINDS = ("parameters", "average", "firstMoment", "secondMoment")
LOCAL = "puzzle_emb.local_weights"


class NotFinite(Exception):
    """A loss or gradient is NaN or infinite; the message names it."""


class Model:
    """A model for the seats of this rank; `ranks` sums gradients and gathers the puzzle rows' gradients."""

    def __init__(self, plain, specs, device, dtype, compiled, ranks):
        self.plain, self.device, self.dtype, self.ranks = plain, device, dtype, ranks
        self.wide = torch.float64 if has_float64(device) else torch.float32
        self.call_net = network.call_net
        if compiled:
            # One compilation per shape, with and without gradient; evaluations bring their own shapes.
            torch._dynamo.config.recompile_limit = 64
            self.call_net = torch.compile(network.call_net, dynamic=False)
        self.rotary = None
        if plain["rotary"]:
            positions = plain["prefix"] + plain["sequence"]
            self.rotary = network.rotary_tables(positions, plain["hidden"] // plain["heads"], device)
        self._lay_out(specs)
        self.layers = [[self._layer_names(net, layer) for layer in range(plain["layers"])] for net in plain["nets"]]
        self.local = None

    def _lay_out(self, specs):
        """Makes all trained tensors views of a flat one: updates take a few operations, sums over ranks only one.

        The networks' matrices come last, since Muon treats only them; views begin at multiples of 256 bytes.
        """
        trained = [spec for spec in specs if spec["role"] == "trained"]
        trained.sort(key=lambda spec: ".layers." in spec["name"])
        places, size, self.matrices = {}, 0, None
        for spec in trained:
            if self.matrices is None and ".layers." in spec["name"]:
                self.matrices = size
            places[spec["name"]] = (size, math.prod(spec["shape"]), spec["shape"])
            size += -(-math.prod(spec["shape"]) // 64) * 64
        zeros = lambda shape: torch.zeros(shape, dtype=torch.float32, device=self.device)
        self.flat = {kind: zeros(size) for kind in (*KINDS, "gradient")}
        self.views = {
            kind: {name: flat[at : at + count].view(shape) for name, (at, count, shape) in places.items()}
            for kind, flat in self.flat.items()
        }
        self.views["parameters"] = {
            name: view.detach().requires_grad_() for name, view in self.views["parameters"].items()
        }
        for name, parameter in self.views["parameters"].items():
            parameter.grad = self.views["gradient"][name]
        self.buffers = {spec["name"]: zeros(spec["shape"]) for spec in specs if spec["role"] != "trained"}
        self.table = self.buffers.get("puzzle_emb.weights")

    def _layer_names(self, net, layer):
        mixer = ("self_attn.qkv_proj", "self_attn.o_proj")
        if self.plain["heads"] == 0:
            mixer = ("mlp_t.gate_up_proj", "mlp_t.down_proj")
        return [f"{net}.layers.{layer}.{part}.weight" for part in (*mixer, "mlp.gate_up_proj", "mlp.down_proj")]

    # Tensors by kind and name; kinds other than parameters have trained tensors only.

    def tensor(self, kind, name):
        if kind == "gradient" and name == LOCAL:
            return self.local
        return self.views[kind][name] if name in self.views[kind] else self.buffers[name]

    @torch.no_grad()
    def write(self, kind, name, tensor):
        self.tensor(kind, name).copy_(tensor)

    def start_afresh(self):
        """After new parameters: sets the average to them and the moments to zero."""
        self.flat["average"].copy_(self.flat["parameters"])
        self.flat["firstMoment"].zero_()
        self.flat["secondMoment"].zero_()

    def new_latents(self, seats):
        shape = (seats, self.plain["prefix"] + self.plain["sequence"], self.plain["hidden"])
        return [torch.zeros(shape, dtype=self.dtype, device=self.device) for _ in self.plain["latents"]]

    # A supervision step.

    def run(self, latents, x, weights):
        """Runs all calls in order; each reads the current latents. Calls without gradient give constants."""
        latents, learning = list(latents), torch.is_grad_enabled()
        with torch.no_grad():
            cast = {name: weight.to(self.dtype) for name, weight in weights.items() if ".layers." in name}
            fixed = self._matrices(cast)
        for call in self.plain["calls"]:
            with torch.set_grad_enabled(learning and call["gradient"]):
                sources = [x if source < 0 else latents[source] for source in call["read"]]
                matrices = self._matrices(weights) if torch.is_grad_enabled() else fixed
                latents[call["write"]] = self.call_net(sources, matrices[call["net"]], self.plain["heads"], self.rotary)
        return latents

    def _matrices(self, weights):
        return [[[weights[name] for name in layer] for layer in net] for net in self.layers]

    def _begin(self, latents, batch, weights, rows):
        """The latents, set to their start values for seats with reset, and the embedded puzzles."""
        new = batch["reset"].view(-1, 1, 1).bool()
        start = [
            torch.where(new, self.buffers[name].to(self.dtype), latent)
            for name, latent in zip(self.plain["latents"], latents)
        ]
        return start, network.embed(weights, batch["tokens"], rows, self.plain["prefix"], self.dtype)

    def _heads(self, weights, latents):
        return network.heads_of(weights, latents[self.plain["answer"]], self.plain["prefix"])

    def _rows(self, ids):
        return None if self.table is None else self.table[ids]

    @torch.no_grad()
    def infer(self, latents, batch, average, want_logits):
        weights = self.views["average" if average else "parameters"]
        start, x = self._begin(latents, batch, weights, self._rows(batch["puzzleIds"]))
        after = self.run(start, x, weights)
        logits, halting = self._heads(weights, after)
        results = {"predictions": logits.argmax(-1).int(), "halting": halting}
        if want_logits:
            results["logits"] = logits.float()
        return after, results

    def train(self, latents, batch, total, softmax, want_logits):
        """Forward pass and losses of this rank's part of `total` seats, and gradients summed over all ranks."""
        weights = self.views["parameters"]
        self.flat["gradient"].zero_()
        rows = self._rows(batch["puzzleIds"])
        if rows is not None:
            rows.requires_grad_()
        start, x = self._begin(latents, batch, weights, rows)
        after = self.run(start, x, weights)
        logits, halting = self._heads(weights, after)
        targets = None
        after = [latent.detach() for latent in after]
        if self.plain["learnsContinue"]:
            with torch.no_grad():  # how sure the model is one step later (spec 2.3)
                halt, go = self._heads(weights, self.run(after, x, weights))[1].unbind(-1)
                targets = torch.sigmoid(torch.where(batch["last"].bool(), halt, torch.maximum(halt, go)))
        predictions, answer, halt, go = network.losses_of(
            logits, halting, batch["labels"], targets, softmax, self.wide
        )
        ((answer + 0.5 * (halt + go)).sum() / total).backward()
        self.ranks.add_up(self.flat["gradient"])
        if rows is not None:
            # A schedule that reads x without gradient only leaves them none.
            self.local = self.ranks.join(torch.zeros_like(rows) if rows.grad is None else rows.grad)
        finite = torch.isfinite(self.flat["gradient"]).all()
        if rows is not None:
            finite &= torch.isfinite(self.local).all()
        results = {
            "predictions": predictions.int(),
            "halting": halting,
            "answerLoss": answer,
            "haltLoss": halt,
            "continueLoss": go,
            "finite": finite.view(1).to(torch.uint8),
        }
        if targets is not None:
            results["continueTargets"] = targets
        if want_logits:
            results["logits"] = logits.float()
        return after, results

    def refuse_infinite(self, results):
        """Raises NotFinite naming a loss or gradient that is not finite; `results`: of all ranks, on the host."""
        for name in ("answerLoss", "haltLoss", "continueLoss"):
            if not torch.isfinite(results[name]).all():
                raise NotFinite(f"{name} is not finite")
        if results["finite"].all():
            return
        for name, gradient in (*self.views["gradient"].items(), (LOCAL, self.local)):
            if gradient is not None and not torch.isfinite(gradient).all():
                raise NotFinite(f"the gradient of {name} is not finite")

    # Updates: every rank computes the same one.

    @torch.no_grad()
    def update(self, request, ids):
        """One optimizer step; `ids` are the puzzle ids of all seats in order, on the host."""
        if self.table is not None:
            self._sign_sgd(ids, request["puzzleLearningRate"], request["puzzleWeightDecay"])
        end = len(self.flat["parameters"])
        split = end if request["optimizer"] != "muon" or self.matrices is None else self.matrices
        pieces = [self.flat[kind][:split] for kind in (*KINDS, "gradient")]
        adam(*pieces, request)
        if split < end:
            for name in self.views["parameters"]:
                if ".layers." in name:
                    muon(*(self.views[kind][name] for kind in (*KINDS, "gradient")), request)

    def _sign_sgd(self, ids, rate, decay):
        """row (1 - lr wd) - lr sign(sum of its seats' gradients), for the rows of this batch only (spec 4.2)."""
        distinct, seats = ids.long().unique(return_inverse=True)  # on the host, so as not to wait for the device
        distinct, seats = distinct.to(self.device), seats.to(self.device)
        sums = torch.zeros((len(distinct), self.table.shape[1]), device=self.device).index_add_(0, seats, self.local)
        self.table[distinct] = self.table[distinct] * (1 - rate * decay) - rate * sums.sign()


def adam(p, average, m, v, g, request):
    """A step of AdamATan2 or AdamW (formulas: lib/engine/optimizers.ts), then of the average."""
    beta1, beta2, rate = request["beta1"], request["beta2"], request["learningRate"]
    p.mul_(1 - rate * request["weightDecay"])
    m.lerp_(g, 1 - beta1)
    v.lerp_(g * g, 1 - beta2)
    deviation = v.sqrt().div_(math.sqrt(1 - beta2 ** request["count"]))
    if request["optimizer"] == "adamw":
        step = deviation.add_(1e-8).reciprocal_().mul_(m)
    else:
        step = torch.atan2(m, deviation)
    p.add_(step, alpha=-rate / (1 - beta1 ** request["count"]))
    average.lerp_(p, 1 - request["emaRate"])


def muon(p, average, m, v, g, request):
    """A step of one matrix along its orthogonalized momentum (arXiv 2502.16982); the second moment is not used."""
    beta1, rate = request["beta1"], request["learningRate"]
    m.lerp_(g, 1 - beta1)
    x = torch.lerp(m, g, 1 - beta1)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-30)
    for _ in range(5):  # Newton-Schulz: singular values end between 0.7 and 1.2
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    step = rate * 0.2 * math.sqrt(max(x.shape))
    p.mul_(1 - rate * request["weightDecay"]).sub_(x.T if tall else x, alpha=step)
    average.lerp_(p, 1 - request["emaRate"])


def has_float64(device):
    """False for MPS and some of Intel's GPUs, where losses are float32."""
    if device.type == "xpu":
        return bool(torch.xpu.get_device_properties(device).has_fp64)
    return device.type != "mps"
