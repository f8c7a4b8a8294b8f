#!/usr/bin/python3
"""Writes the golden files that the recurrent layers are compared with: PyTorch's answers, in double precision.

    /usr/bin/python3 tests/goldens/make_goldens.py        # Debian 12: apt install python3-torch python3-numpy

One safetensors file per cell and case. The loss is
    sum(outputs * d_outputs) + sum(h_n * d_h_n) [+ sum(c_n * d_c_n)],
and `grad.NAME` is its gradient with respect to NAME. `x` is zero past a row's length, and so are `outputs` and `grad.x`;
`d_outputs` is not, because what arrives there must change nothing. Inputs are multiples of 1/4096, exact in float as
well as in double, so that a float build starts from the same numbers. Running it again on one machine gives the same bytes.
"""
import json
import pathlib

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

CELLS = {
    "rnn_tanh": lambda i, h: torch.nn.RNN(i, h, nonlinearity="tanh"),
    "rnn_relu": lambda i, h: torch.nn.RNN(i, h, nonlinearity="relu"),
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}
CASES = {  # name: (input size, hidden size, lengths in the order of the batch)
    "full": (5, 6, [7, 7, 7, 7]),
    "ragged": (5, 6, [3, 7, 1, 5]),
    "wide": (13, 37, [6, 1, 9, 4, 9]),  # no size is a multiple of a SIMD width
}
PARAMETERS = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]


def write_safetensors(path, arrays):
    """Length of the header (8 bytes, little endian), header in JSON padded with spaces, then the raw data."""
    header, blobs, offset = {}, [], 0
    for name in sorted(arrays):
        blob = np.ascontiguousarray(arrays[name], dtype="<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(arrays[name].shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def uniform(random, bound, *shape):
    return torch.from_numpy(np.round(random.uniform(-bound, bound, shape) * 4096) / 4096)


def check_away_from_kink(arrays, lengths):
    """A relu within rounding of zero would give a float build another derivative, rightly."""
    h = arrays["h0"]
    for t in range(max(lengths)):
        z = arrays["x"][t] @ arrays["weight_ih_l0"].T + arrays["bias_ih_l0"]
        z = z + h @ arrays["weight_hh_l0"].T + arrays["bias_hh_l0"]
        running = [row for row, length in enumerate(lengths) if t < length]
        assert np.abs(z[running]).min() > 1e-5, "relu too near to zero: choose another seed"
        h = np.maximum(z, 0)


def make(cell, case, seed):
    inputs, hidden, lengths = CASES[case]
    steps, batch = max(lengths), len(lengths)
    random = np.random.RandomState(seed)  # its stream is frozen, unlike that of newer generators
    layer = CELLS[cell](inputs, hidden).double()
    with torch.no_grad():
        for name in PARAMETERS:
            parameter = getattr(layer, name)
            parameter.copy_(uniform(random, hidden**-0.5, *parameter.shape))

    states = ["h", "c"] if cell == "lstm" else ["h"]
    ended = torch.arange(steps)[:, None] >= torch.tensor(lengths)[None, :]
    leaves = {"x": uniform(random, 1.5, steps, batch, inputs).masked_fill(ended[..., None], 0)}
    leaves |= {s + "0": uniform(random, 1, batch, hidden) for s in states}
    for leaf in leaves.values():
        leaf.requires_grad_()

    first = [leaves[s + "0"][None] for s in states]
    packed = pack_padded_sequence(leaves["x"], lengths, enforce_sorted=False)
    packed, last = layer(packed, tuple(first) if cell == "lstm" else first[0])
    results = {"outputs": pad_packed_sequence(packed)[0]}
    results |= {s + "_n": value[0] for s, value in zip(states, last if cell == "lstm" else [last])}

    cotangents = {"d_" + name: uniform(random, 1, *value.shape) for name, value in results.items()}
    sum((value * cotangents["d_" + name]).sum() for name, value in results.items()).backward()

    leaves |= {name: getattr(layer, name) for name in PARAMETERS}
    gradients = {"grad." + name: leaf.grad for name, leaf in leaves.items()}
    everything = {"lengths": torch.tensor(lengths)} | leaves | results | cotangents | gradients
    arrays = {name: value.detach().numpy() for name, value in everything.items()}
    assert all(np.isfinite(array).all() for array in arrays.values())
    if cell == "rnn_relu":
        check_away_from_kink(arrays, lengths)
    return arrays


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).resolve().parent
    for number, (cell, case) in enumerate((cell, case) for cell in CELLS for case in CASES):
        write_safetensors(folder / f"{cell}_{case}.safetensors", make(cell, case, seed=1000 + number))
