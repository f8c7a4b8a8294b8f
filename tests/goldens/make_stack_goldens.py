#!/usr/bin/python3
"""Writes tests/goldens/stack_*.safetensors: PyTorch's stacked and bidirectional layers, in double precision.

    /usr/bin/python3 tests/goldens/make_stack_goldens.py

One file per cell, number of layers (1 to 3), directions and batch-first or not, in the format and with the conventions of
make_goldens.py. States are named by their part in the order layer, direction: h0.l1_reverse, c_n.l0, ..
"""
import itertools
import pathlib

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from make_goldens import uniform, write_safetensors

INPUT, HIDDEN, PROJECTED = 3, 4, 2
CELLS = {
    "rnn_tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
    "rnn_relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (torch.nn.LSTM, {}),
    "lstm_projected": (torch.nn.LSTM, {"proj_size": PROJECTED}),
    "gru": (torch.nn.GRU, {}),
}
LENGTHS = {False: [2, 5, 1, 4], True: [5, 3, 5]}  # by batch-first


def away_from_kink(layer, x, lengths, first):
    """Is every relu further from zero than a float's rounding?"""
    smallest = []
    relu = torch.nn.functional.relu

    def step(suffix, x, h):
        z = x @ getattr(layer, "weight_ih_" + suffix).T + getattr(layer, "bias_ih_" + suffix)
        z = z + h @ getattr(layer, "weight_hh_" + suffix).T + getattr(layer, "bias_hh_" + suffix)
        smallest.append(z.abs().min().item())
        return relu(z)

    for row, length in enumerate(lengths):
        below = x[:length, row]
        for index in range(layer.num_layers):
            both = []
            for direction in range(2 if layer.bidirectional else 1):
                suffix = f"l{index}" + ("_reverse" if direction else "")
                h = first[suffix][row]
                outputs = [None] * length
                for t in reversed(range(length)) if direction else range(length):
                    outputs[t] = h = step(suffix, below[t], h)
                both.append(torch.stack(outputs))
            below = torch.cat(both, -1)
    return min(smallest) > 1e-5


def make(cell, layers, bidirectional, batch_first, seed):
    kind, options = CELLS[cell]
    lengths = LENGTHS[batch_first]
    steps, batch = max(lengths), len(lengths)
    random = np.random.RandomState(seed)
    layer = kind(INPUT, HIDDEN, num_layers=layers, bidirectional=bidirectional, batch_first=batch_first, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(uniform(random, HIDDEN**-0.5, *parameter.shape))

    parts = [f"l{k}{suffix}" for k in range(layers) for suffix in (["", "_reverse"] if bidirectional else [""])]
    widths = {"h": options.get("proj_size", HIDDEN), "c": HIDDEN}
    states = ["h", "c"] if kind is torch.nn.LSTM else ["h"]
    ended = torch.arange(steps)[:, None] >= torch.tensor(lengths)[None, :]
    x = uniform(random, 1.5, steps, batch, INPUT).masked_fill(ended[..., None], 0)
    leaves = {"x": x.transpose(0, 1).contiguous() if batch_first else x}
    leaves |= {f"{s}0.{part}": uniform(random, 1, batch, widths[s]) for s in states for part in parts}
    for leaf in leaves.values():
        leaf.requires_grad_()

    first = [torch.stack([leaves[f"{s}0.{part}"] for part in parts]) for s in states]
    packed = pack_padded_sequence(leaves["x"], lengths, batch_first=batch_first, enforce_sorted=False)
    packed, last = layer(packed, tuple(first) if len(states) == 2 else first[0])
    results = {"outputs": pad_packed_sequence(packed, batch_first=batch_first)[0]}
    for s, value in zip(states, last if len(states) == 2 else [last]):
        results |= {f"{s}_n.{part}": value[i] for i, part in enumerate(parts)}

    cotangents = {"d_" + name: uniform(random, 1, *value.shape) for name, value in results.items()}
    sum((value * cotangents["d_" + name]).sum() for name, value in results.items()).backward()
    if cell == "rnn_relu":
        with torch.no_grad():
            if not away_from_kink(layer, x, lengths, {part: leaves[f"h0.{part}"] for part in parts}):
                return make(cell, layers, bidirectional, batch_first, seed + 10000)

    leaves |= dict(layer.named_parameters())
    gradients = {"grad." + name: leaf.grad for name, leaf in leaves.items()}
    everything = {"lengths": torch.tensor(lengths)} | leaves | results | cotangents | gradients
    arrays = {name: value.detach().numpy() for name, value in everything.items()}
    assert all(np.isfinite(array).all() for array in arrays.values())
    return arrays


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).resolve().parent
    cases = itertools.product(CELLS, [1, 2, 3], [False, True], [False, True])
    for number, (cell, layers, bidirectional, batch_first) in enumerate(cases):
        name = f"stack_{cell}_{layers}{'_bidirectional' if bidirectional else ''}{'_batch_first' if batch_first else ''}"
        write_safetensors(folder / f"{name}.safetensors", make(cell, layers, bidirectional, batch_first, seed=2000 + number))
