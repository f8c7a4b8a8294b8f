#!/usr/bin/python3
"""Writes the golden files of cells that PyTorch lacks, or has only with options: outputs, final states, all gradients.

    /usr/bin/python3 tests/goldens/make_cell_goldens.py   # Debian 12: apt install python3-torch python3-numpy

Loss, names and rounding are those of make_goldens.py. The projected LSTM is PyTorch's own (cuDNN's form). The others are
the papers' equations in plain PyTorch, double precision, each row alone over its own steps; autograd gives the gradients.
State parts are named h, c, d, e in the order of the cell's State.
"""
import pathlib

import numpy as np
import torch
from torch import sigmoid, tanh
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from make_goldens import CASES, uniform, write_safetensors


def layer_norm(a, gain, bias=0):
    centred = a - a.mean()
    return gain * centred / torch.sqrt((centred**2).mean() + 1e-5) + bias


def weights(i, h, gates, width=None):
    """Shapes of what most cells have."""
    return {"weight_ih": (gates * h, i), "weight_hh": (gates * h, width or h), "bias_ih": (gates * h,)}


def width_of(hidden, projection):
    return (hidden + 1) // 2 if projection else hidden


def lstm(peepholes=False, coupled=False, projection=False, normal=False):
    gates = 3 if coupled else 4

    def shapes(i, h):
        width = width_of(h, projection)
        names = weights(i, h, gates, width)
        if projection:
            names["weight_hr"] = (width, h)
        if peepholes:
            names |= {"peephole_" + gate: (h,) for gate in ("io" if coupled else "ifo")}
        if normal:
            names |= {"gain_ih": (gates * h,), "gain_hh": (gates * h,), "gain_c": (h,), "bias_c": (h,)}
        return names, [width, h]

    def step(p, x, h, c):
        """Gers & Schmidhuber 2000, Greff et al. 2017, Sak et al. 2014, Ba et al. 2016."""
        a, b = p["weight_ih"] @ x, p["weight_hh"] @ h
        a = layer_norm(a, p["gain_ih"]) + layer_norm(b, p["gain_hh"]) if normal else a + b
        a = (a + p["bias_ih"]).chunk(gates)
        i, g, o = a[0], a[-2], a[-1]
        see = (lambda gate, cell: p["peephole_" + gate] * cell) if peepholes else (lambda gate, cell: 0)
        i = sigmoid(i + see("i", c))
        f = 1 - i if coupled else sigmoid(a[1] + see("f", c))
        c = f * c + i * tanh(g)
        shown = layer_norm(c, p["gain_c"], p["bias_c"]) if normal else c
        h = sigmoid(o + see("o", c)) * tanh(shown)
        return (p["weight_hr"] @ h if projection else h), c

    return shapes, step


def gru_reset_before():
    def shapes(i, h):
        return weights(i, h, 3) | {"weight_hh": (2 * h, h), "weight_hh_n": (h, h)}, [h]

    def step(p, x, h):
        """Cho et al. 2014."""
        xr, xz, xn = (p["weight_ih"] @ x + p["bias_ih"]).chunk(3)
        hr, hz = (p["weight_hh"] @ h).chunk(2)
        n = tanh(xn + p["weight_hh_n"] @ (sigmoid(xr + hr) * h))
        z = sigmoid(xz + hz)
        return (z * h + (1 - z) * n,)

    return shapes, step


def layer_norm_gru():
    def shapes(i, h):
        names = {"weight_ih": (3 * h, i), "weight_hh": (3 * h, h), "bias": (2 * h,), "bias_in": (h,), "bias_hn": (h,)}
        return names | {"gain_ih": (2 * h,), "gain_hh": (2 * h,), "gain_in": (h,), "gain_hn": (h,)}, [h]

    def step(p, x, h):
        """Ba et al. 2016, supplement, with z for the share of the old state."""
        n = len(h)
        a, b = p["weight_ih"] @ x, p["weight_hh"] @ h
        gates = layer_norm(a[: 2 * n], p["gain_ih"]) + layer_norm(b[: 2 * n], p["gain_hh"]) + p["bias"]
        r, z = sigmoid(gates).chunk(2)
        new = layer_norm(a[2 * n :], p["gain_in"], p["bias_in"]) + r * layer_norm(b[2 * n :], p["gain_hn"], p["bias_hn"])
        return (z * h + (1 - z) * tanh(new),)

    return shapes, step


def mgu():
    def shapes(i, h):
        return {"weight_ih": (2 * h, i), "weight_hh": (h, h), "weight_hh_n": (h, h), "bias": (2 * h,)}, [h]

    def step(p, x, h):
        """Zhou et al. 2016."""
        xf, xn = (p["weight_ih"] @ x + p["bias"]).chunk(2)
        f = sigmoid(xf + p["weight_hh"] @ h)
        return ((1 - f) * h + f * tanh(xn + p["weight_hh_n"] @ (f * h)),)

    return shapes, step


def ind_rnn():
    def shapes(i, h):
        return {"weight_ih": (h, i), "weight_hh": (h,), "bias": (h,)}, [h]

    def step(p, x, h):
        """Li et al. 2018."""
        a = p["weight_ih"] @ x + p["weight_hh"] * h + p["bias"]
        assert a.abs().min() > 1e-5, "relu too near to zero: choose another seed"
        return (torch.relu(a),)

    return shapes, step


def min_gru():
    def shapes(i, h):
        return {"weight_ih": (2 * h, i), "bias": (2 * h,)}, [h]

    def step(p, x, h):
        """Feng et al. 2024."""
        z, new = (p["weight_ih"] @ x + p["bias"]).chunk(2)
        return ((1 - sigmoid(z)) * h + sigmoid(z) * new,)

    return shapes, step


def min_lstm():
    def shapes(i, h):
        return {"weight_ih": (3 * h, i), "bias": (3 * h,)}, [h]

    def step(p, x, h):
        """Feng et al. 2024."""
        i, f, new = (p["weight_ih"] @ x + p["bias"]).chunk(3)
        i, f = sigmoid(i), sigmoid(f)
        return (f / (f + i) * h + i / (f + i) * new,)

    return shapes, step


def sru(square):
    def shapes(i, h):
        assert square == (i == h)
        names = {"weight_ih": ((3 if square else 4) * h, i), "bias": (2 * h,)}
        return names | {"peephole_f": (h,), "peephole_r": (h,)}, [h, h]

    def step(p, x, h, c):
        """Lei et al. 2018."""
        n = len(c)
        blocks = p["weight_ih"] @ x
        w, f, r = blocks[: 3 * n].chunk(3)
        skip = x if square else blocks[3 * n :]
        f = sigmoid(f + p["peephole_f"] * c + p["bias"][:n])
        r = sigmoid(r + p["peephole_r"] * c + p["bias"][n:])
        c = f * c + (1 - f) * w
        return r * c + (1 - r) * skip * 3**0.5, c

    return shapes, step


def slstm(exponential):
    def shapes(i, h):
        return {"weight_ih": (4 * h, i), "weight_hh": (4 * h, h), "bias": (4 * h,)}, [h, h, h, h]

    def step(p, x, h, c, n, m):
        """Beck et al. 2024."""
        i, f, z, o = (p["weight_ih"] @ x + p["weight_hh"] @ h + p["bias"]).chunk(4)
        log_f = f if exponential else torch.log(sigmoid(f))
        assert (log_f + m - i).abs().min() > 1e-5, "a tie: choose another seed"
        top = torch.maximum(log_f + m, i)
        c_new = torch.exp(log_f + m - top) * c + torch.exp(i - top) * tanh(z)
        n_new = torch.exp(log_f + m - top) * n + torch.exp(i - top)
        plain = (log_f.exp() * c * m.exp() + i.exp() * tanh(z)) / (log_f.exp() * n * m.exp() + i.exp())
        assert torch.allclose(c_new / n_new, plain, rtol=1e-12), "the stabiliser must change nothing"
        return sigmoid(o) * c_new / n_new, c_new, n_new, top

    return shapes, step


def projected_lstm():
    def shapes(i, h):
        names, widths = lstm(projection=True)[0](i, h)
        return names | {"bias_hh": (4 * h,)}, widths

    return shapes, None  # PyTorch's


PROJECTED = projected_lstm()
CELLS = {
    "lstm_peephole": lstm(peepholes=True),
    "lstm_coupled": lstm(coupled=True),
    "lstm_layer_norm": lstm(normal=True),
    "lstm_all": lstm(peepholes=True, coupled=True, projection=True, normal=True),
    "lstm_normal_peephole": lstm(peepholes=True, normal=True),
    "gru_reset_before": gru_reset_before(),
    "gru_layer_norm": layer_norm_gru(),
    "mgu": mgu(),
    "ind_rnn": ind_rnn(),
    "min_gru": min_gru(),
    "min_lstm": min_lstm(),
    "sru": sru(square=False),
    "sru_square": sru(square=True),
    "slstm": slstm(exponential=False),
    "slstm_exp": slstm(exponential=True),
}


def run_rows(step, p, x, lengths, state):
    """Outputs [T, B, width], zero past each row's length, and the final states."""
    outputs = torch.zeros(*x.shape[:2], state[0].shape[1], dtype=x.dtype)
    finals = []
    for row, length in enumerate(lengths):
        parts = [part[row] for part in state]
        for t in range(length):
            parts = step(p, x[t, row], *parts)
            outputs[t, row] = parts[0]
        finals.append(parts)
    return outputs, [torch.stack(part) for part in zip(*finals)]


def run_pytorch(layer, x, lengths, state):
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    outputs, finals = layer(packed, tuple(part[None] for part in state))
    return pad_packed_sequence(outputs)[0], [part[0] for part in finals]


def make(cell, sizes, seed):
    inputs, hidden, lengths = sizes
    random = np.random.RandomState(seed)
    shapes, widths = PROJECTED[0](inputs, hidden) if cell == "lstm_projected" else CELLS[cell][0](inputs, hidden)
    p = {name: uniform(random, 1 if len(shape) == 1 else hidden**-0.5, *shape) for name, shape in shapes.items()}
    if cell == "lstm_projected":
        layer = torch.nn.LSTM(inputs, hidden, proj_size=widths[0]).double()
        with torch.no_grad():
            p = {name: getattr(layer, name + "_l0").copy_(p[name]) for name in p}
    ended = torch.arange(max(lengths))[:, None] >= torch.tensor(lengths)[None, :]
    leaves = {"x": uniform(random, 1.5, max(lengths), len(lengths), inputs).masked_fill(ended[..., None], 0)}
    names = "hcde"[: len(widths)]
    leaves |= {part + "0": uniform(random, 1, len(lengths), width) for part, width in zip(names, widths)}
    if "slstm" in cell:
        leaves["d0"] += 1.5  # the normaliser is positive
    for leaf in [*leaves.values(), *p.values()]:
        leaf.requires_grad_()

    state = [leaves[part + "0"] for part in names]
    if cell == "lstm_projected":
        outputs, finals = run_pytorch(layer, leaves["x"], lengths, state)
    else:
        outputs, finals = run_rows(CELLS[cell][1], p, leaves["x"], lengths, state)
    results = {"outputs": outputs} | {part + "_n": value for part, value in zip(names, finals)}
    cotangents = {"d_" + name: uniform(random, 1, *value.shape) for name, value in results.items()}
    sum((value * cotangents["d_" + name]).sum() for name, value in results.items()).backward()

    leaves |= {name + "_l0": value for name, value in p.items()}
    gradients = {"grad." + name: leaf.grad for name, leaf in leaves.items()}
    everything = {"lengths": torch.tensor(lengths)} | leaves | results | cotangents | gradients
    arrays = {name: torch.zeros(()).numpy() if value is None else value.detach().numpy() for name, value in everything.items()}
    if arrays["grad.h0"].shape == ():  # only an output
        arrays["grad.h0"] = np.zeros_like(arrays["h0"])
    assert all(np.isfinite(array).all() for array in arrays.values())
    return arrays


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).resolve().parent
    for number, cell in enumerate(CELLS):
        sizes = (6 if cell == "sru_square" else 5, *CASES["ragged"][1:])
        write_safetensors(folder / f"{cell}_ragged.safetensors", make(cell, sizes, seed=2000 + number))
    for number, (case, sizes) in enumerate((CASES | {"wide": (9, 21, [3, 1, 5, 4, 5])}).items()):
        write_safetensors(folder / f"lstm_projected_{case}.safetensors", make("lstm_projected", sizes, seed=2100 + number))
