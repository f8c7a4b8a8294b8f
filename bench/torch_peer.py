#!/usr/bin/env python3
"""PyTorch's side of reel-bench, one case; torch_peer.cpp runs it and talks to it.

Arguments: lstm|gru|rnn builtin|custom train|infer B T E H layers directions threads. Says "ready",
reads x, dy and the weights as raw floats, then answers lines: "step N" with the milliseconds of N
steps, "answer" with outputs and gradients as raw floats.
"""
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[9]
try:
    import numpy as np
    import torch
except ImportError as error:
    print(f"{sys.executable}: {error}; apt install python3-torch, or name another --python")
    sys.exit()

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Custom(torch.nn.Module):
    """The same layers with their step written out and looped over in Python."""

    def __init__(self, cell, shapes):
        super().__init__()
        self.step, self.hidden = getattr(self, cell), next(iter(shapes.values()))["weight_hh"][1]
        self.layers = [[part for part in shapes if part.split("_")[0] == layer]
                       for layer in dict.fromkeys(part.split("_")[0] for part in shapes)]
        for part, named in shapes.items():
            for name, shape in named.items():
                self.register_parameter(f"{name}_{part}", torch.nn.Parameter(torch.zeros(shape)))

    def forward(self, x):
        for parts in self.layers:
            outputs = [self.run(part, x) for part in parts]
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, -1)
        return x, None

    def run(self, part, x):
        w, v, b, d = (getattr(self, f"{name}_{part}") for name in NAMES)
        state = [x.new_zeros(x.shape[1], self.hidden)] * 2
        outputs = []
        rows = torch.nn.functional.linear(x, w, b).unbind(0)
        step = -1 if part.endswith("reverse") else 1
        for row in rows[::step]:
            state = self.step(row, torch.nn.functional.linear(state[0], v, d), state)
            outputs.append(state[0])
        return torch.stack(outputs[::step])

    @staticmethod
    def lstm(x, a, state):
        i, f, g, o = (x + a).chunk(4, -1)
        c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    @staticmethod
    def gru(x, a, state):
        (xr, xz, xn), (hr, hz, hn) = x.chunk(3, -1), a.chunk(3, -1)
        z = torch.sigmoid(xz + hz)
        n = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
        return (1 - z) * n + z * state[0],

    @staticmethod
    def rnn(x, a, _):
        return torch.tanh(x + a),


def main():
    cell, form, mode = sys.argv[1:4]
    batch, steps, inputs, hidden, layers, directions, threads = map(int, sys.argv[4:])
    torch.set_num_threads(threads)
    print("ready", flush=True)

    def receive(*shape):
        size = 4 * int(np.prod(shape))
        return torch.from_numpy(np.frombuffer(sys.stdin.buffer.read(size), np.float32)
                                .reshape(shape).copy())

    rows = GATES[cell] * hidden
    outputs = directions * hidden
    shapes = {f"l{layer}{suffix}":
              {"weight_ih": (rows, outputs if layer else inputs), "weight_hh": (rows, hidden),
               "bias_ih": (rows,), "bias_hh": (rows,)}
              for layer in range(layers) for suffix in ("", "_reverse")[:directions]}
    if form == "custom":
        net = Custom(cell, shapes)
    else:
        net = getattr(torch.nn, cell.upper())(inputs, hidden, layers,
                                              bidirectional=directions == 2)
    x, dy = receive(steps, batch, inputs), receive(steps, batch, outputs)
    with torch.no_grad():
        for part, named in shapes.items():
            for name, shape in named.items():
                getattr(net, f"{name}_{part}").copy_(receive(*shape))
    train = mode == "train"
    x.requires_grad_(train)
    torch.set_grad_enabled(train)

    def step():
        if train:
            x.grad = None
            net.zero_grad(set_to_none=True)
        y, _ = net(x)
        if train:
            y.backward(dy)
        return y

    for line in sys.stdin.buffer:
        words = line.split()
        if words[0] == b"step":
            times = []
            for _ in range(int(words[1])):
                start = time.perf_counter()
                step()
                times.append(f"{1e3 * (time.perf_counter() - start):.6f}")
            print(*times, flush=True)
        else:
            parts = [step()]
            if train:
                names = NAMES if cell == "gru" else NAMES[:3]
                parts += [x.grad] + [getattr(net, f"{name}_{part}").grad
                                     for part in shapes for name in names]
            for part in parts:
                sys.stdout.buffer.write(part.detach().contiguous().numpy().tobytes())
            sys.stdout.buffer.flush()


main()
