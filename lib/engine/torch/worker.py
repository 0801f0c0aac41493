"""The torch engine's worker: reads commands from its standard input, answers on its standard output, one frame each.

lib/engine/torch/worker.ts starts it, alone or as several ranks by torchrun. Rank 0 has the pipe and passes every
command on to the other ranks; each rank runs it for its own seats. The worker ends when the pipe is closed.
"""
import datetime
import io
import math
import os
import re
import resource
import select
import signal
import sys
import threading
import time
import traceback

OLDEST = (2, 6)
REMEDY = "run npm run setup -- torch, or name a Python that has it in TRM_TORCH_PYTHON"


def fail(message):
    """Ends the worker with the one line that tells the kit why."""
    rank = os.environ.get("RANK")
    where = f"rank {rank}: " if rank is not None else ""
    print(f"worker error: {where}{message}", file=sys.stderr, flush=True)
    sys.stderr.flush()
    os._exit(1)


try:
    import torch
except ImportError as error:
    fail(f"{sys.executable} cannot load torch ({error}); {REMEDY}")
if tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2]) < OLDEST:
    fail(f"{sys.executable}: expected torch {OLDEST[0]}.{OLDEST[1]} or newer, got {torch.__version__}; {REMEDY}")

import torch.distributed as dist

from model import Model, NotFinite
from wire import read_frame, unpack, write_frame


class Ranks:
    """The processes that share a batch. They exchange commands by gloo, gradients by the device's own library."""

    def __init__(self):
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.local = int(os.environ.get("LOCAL_RANK", "0"))
        self.here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        self.own = None
        if self.size > 1:
            # A notebook may pause for a night between two commands; the death of a rank is noticed all the same.
            dist.init_process_group("gloo", timeout=datetime.timedelta(days=365))

    def take(self, device):
        """Opens the library that sums the device's tensors over ranks."""
        own = {"cuda": "nccl", "xpu": "xccl"}.get(device.type)
        if self.size > 1 and own is not None:
            self.own = dist.new_group(backend=own)

    def share(self, seats):
        """The seats of this rank as a slice; all ranks' shares are as even as possible."""
        return slice(seats * self.rank // self.size, seats * (self.rank + 1) // self.size)

    def pass_on(self, data):
        """Broadcasts rank 0's frame to every rank; None at the end."""
        if self.size == 1:
            return data
        length = torch.tensor([-1 if data is None else len(data)])
        dist.broadcast(length, 0)
        if length.item() < 0:
            return None
        data = bytearray(length.item()) if data is None else data
        dist.broadcast(torch.frombuffer(data, dtype=torch.uint8), 0)
        return data

    def add_up(self, gradient):
        if self.size > 1:
            dist.all_reduce(gradient, group=self.own)

    def join(self, rows):
        """The rows of all ranks, concatenated, at every rank."""
        if self.size == 1:
            return rows
        joined = torch.empty((self.size * rows.shape[0], *rows.shape[1:]), dtype=rows.dtype, device=rows.device)
        dist.all_gather_into_tensor(joined, rows.contiguous(), group=self.own)
        return joined

    def gather(self, tensors):
        """At rank 0, the host tensors of all ranks, concatenated along the seats; at other ranks None."""
        if self.size == 1:
            return tensors
        if self.rank > 0:
            frame = io.BytesIO()
            write_frame(frame, {}, tensors)
            body = torch.frombuffer(bytearray(frame.getbuffer()), dtype=torch.uint8)
            dist.send(torch.tensor([len(body)]), 0)
            dist.send(body, 0)
            return None
        parts = [tensors]
        for rank in range(1, self.size):
            length = torch.empty(1, dtype=torch.int64)
            dist.recv(length, rank)
            frame = bytearray(length.item())
            dist.recv(torch.frombuffer(frame, dtype=torch.uint8), rank)
            parts.append(unpack(frame[8:])[1])
        return {name: torch.cat([part[name] for part in parts]) for name in tensors}


class Worker:
    """The commands, one method each. A method returns the head and the tensors of its answer."""

    def __init__(self, ranks):
        self.ranks, self.states = ranks, {}

    def open(self, head, _tensors):
        self.device = chosen_device(head["device"], self.ranks.local)
        if self.device.index is not None:
            torch.accelerator.set_device_index(self.device.index)  # what synchronize waits for
        self.ranks.take(self.device)
        threads = head["threads"] or (max(1, os.cpu_count() // self.ranks.here) if self.ranks.here > 1 else None)
        if self.device.type == "cpu" and threads is not None:
            torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False
        precision = chosen_precision(head["precision"], self.device)
        compiled = self.device.type == "cuda" if head["compile"] is None else head["compile"]
        self.specs = head["specs"]
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.model = Model(head["model"], self.specs, self.device, dtype, compiled, self.ranks)
        return {
            "torch": torch.__version__,
            "device": device_name(self.device),
            "ranks": self.ranks.size,
            "precision": precision,
            "compiled": compiled,
            "threads": torch.get_num_threads() if self.device.type == "cpu" else None,
            "losses": "float64" if self.model.wide == torch.float64 else "float32",
            "bytes": device_bytes(self.device),
        }, {}

    def state(self, head, _tensors):
        share = self.ranks.share(head["seats"])
        self.states[head["state"]] = (head["seats"], self.model.new_latents(share.stop - share.start))
        return {}, {}

    def free(self, head, _tensors):
        del self.states[head["state"]]
        return {}, {}

    def infer(self, head, tensors):
        seats, latents = self.states[head["state"]]
        after, results = self.model.infer(latents, self._batch(seats, tensors), head["average"], head["logits"])
        self.states[head["state"]] = (seats, after)
        return {}, self.ranks.gather(self._on_host(results))

    def train(self, head, tensors):
        seats, latents = self.states[head["state"]]
        batch = self._batch(seats, tensors)
        after, results = self.model.train(latents, batch, seats, head["softmax"], head["logits"])
        self.states[head["state"]] = (seats, after)
        results = self.ranks.gather(self._on_host(results))
        self.ids = tensors["puzzleIds"].clone()
        if results is not None:
            self.model.refuse_infinite(results)
            del results["finite"]
            results |= {name: results[name].double() for name in results if name.endswith("Loss")}
        return {}, results

    def update(self, head, _tensors):
        self.model.update(head["update"], self.ids)
        return {}, {}

    def read(self, head, _tensors):
        return {}, {"values": self.model.tensor(head["kind"], head["name"]).detach().cpu()}

    def write(self, head, tensors):
        self.model.write(head["kind"], head["name"], tensors["values"].to(self.device))
        return {}, {}

    def afresh(self, _head, _tensors):
        self.model.start_afresh()
        return {}, {}

    def read_latents(self, head, _tensors):
        _, latents = self.states[head["state"]]
        return {}, self.ranks.gather({str(i): latent.float().cpu() for i, latent in enumerate(latents)})

    def write_latents(self, head, tensors):
        seats, latents = self.states[head["state"]]
        share = self.ranks.share(seats)
        for i, latent in enumerate(latents):
            latent.copy_(tensors[str(i)].view(seats, *latent.shape[1:])[share])
        return {}, {}

    def memory(self, _head, _tensors):
        host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        cuda = self.device.type == "cuda"
        if self.device.type != "cpu":
            torch.accelerator.synchronize()
        return {"host": host, "device": torch.cuda.max_memory_allocated() if cuda else None}, {}

    def peak(self, head, _tensors):
        """FLOP per second of square bfloat16 products, the best of 20, with which a step's speed is compared."""
        matrix = torch.randn(head["size"], head["size"], dtype=torch.bfloat16, device=self.device)
        best = math.inf
        for _ in range(20):
            started = time.perf_counter()
            matrix @ matrix
            if self.device.type != "cpu":
                torch.accelerator.synchronize()
            best = min(best, time.perf_counter() - started)
        return {"flopPerSecond": 2 * head["size"] ** 3 / best}, {}

    def _batch(self, seats, tensors):
        """This rank's seats on its device; copies from pinned memory are asynchronous."""
        share = self.ranks.share(seats)
        mine = {name: tensor[share] for name, tensor in tensors.items()}
        if self.device.type == "cuda":
            mine = {name: tensor.pin_memory() for name, tensor in mine.items()}
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in mine.items()}

    def _on_host(self, results):
        """Results in host memory: the one point of a step that waits for the device."""
        host = {name: tensor.detach().to("cpu", non_blocking=True) for name, tensor in results.items()}
        if self.device.type != "cpu":
            torch.accelerator.synchronize()
        return host


def chosen_device(name, local):
    if name == "auto":
        kind = next((each for each in ("cuda", "xpu", "mps") if is_there(each)), "cpu")
    else:
        kind = name.split(":")[0]
        if not is_there(kind):
            raise ValueError(f"expected a device that this machine and this torch have, got {name}")
    if ":" in name:
        return torch.device(name)
    return torch.device(kind, local) if kind in ("cuda", "xpu") else torch.device(kind)


def is_there(kind):
    if kind == "mps":
        return torch.backends.mps.is_available()
    return kind == "cpu" or getattr(torch, kind).is_available()


def device_name(device):
    """The device's own name."""
    if device.type in ("cuda", "xpu"):
        return getattr(torch, device.type).get_device_name(device)
    return device.type


def device_bytes(device):
    """Memory of a device that has its own; None where it shares the machine's."""
    if device.type in ("cuda", "xpu"):
        return getattr(torch, device.type).get_device_properties(device).total_memory
    return None


def chosen_precision(wanted, device):
    """The precision asked for; for auto, bf16 on a GPU that multiplies it in hardware, else float32."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bf16" if device.type == "xpu" else "float32"


def serve(worker, ranks, pipe_in, pipe_out):
    while True:
        data = ranks.pass_on(read_frame(pipe_in) if ranks.rank == 0 else None)
        if data is None:
            return
        head, tensors = unpack(data)
        try:
            reply, results = getattr(worker, head["do"])(head, tensors)
            if ranks.rank == 0:
                write_frame(pipe_out, reply, results)
        except NotFinite as error:
            write_frame(pipe_out, {"notFinite": str(error)})


def watch(pipe):
    """Ends this process when its parent is gone, even during a long step."""
    poll = select.poll()
    poll.register(pipe, getattr(select, "POLLRDHUP", 0))
    poll.poll()
    time.sleep(3)  # between two steps, the process ends by itself
    os._exit(0)


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the kit's to answer
    # Other output to file descriptor 1 must not mix with the frames, so it goes to standard error.
    pipe_out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    pipe_in = io.BufferedReader(io.FileIO(0, closefd=False), 1 << 20)
    if os.environ.get("RANK", "0") == "0":
        threading.Thread(target=watch, args=(0,), daemon=True).start()
    try:
        ranks = Ranks()
        serve(Worker(ranks), ranks, pipe_in, pipe_out)
    except torch.OutOfMemoryError as error:
        fail(f"out of device memory: {first_line(error)}")
    except Exception as error:  # the kit shows the line; the trace is for debugging
        traceback.print_exc()
        fail(f"{type(error).__name__}: {first_line(error)}")
    if ranks.size > 1:
        dist.destroy_process_group()
        pipe_out.flush()
        os._exit(0)  # on a normal exit a gloo thread may abort the rank, which torchrun reports as a failure


def first_line(error):
    return str(error).strip().split("\n")[0]


main()
