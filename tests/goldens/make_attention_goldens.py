#!/usr/bin/python3
"""Writes the golden files that attention is compared with: PyTorch's answers, in double precision.

    /usr/bin/python3 tests/goldens/make_attention_goldens.py

One file per score. The loss is sum(context * d_context) + sum(weights * d_weights), and `grad.NAME` is its gradient with
respect to NAME. `outputs` [T, B, F] is zero past a row's length. Inputs are multiples of 1/4096, exact in float too.
"""
import pathlib

import numpy as np
import torch

from make_goldens import uniform, write_safetensors

LENGTHS = [3, 7, 1, 5]
STEPS, BATCH, VALUE, HIDDEN = 7, 4, 5, 6


def scores_of(kind, query, values, p):
    if kind == "additive":
        hidden = torch.tanh((query @ p["weight_query"].T)[:, None] + values @ p["weight_key"].T)
        return hidden @ p["weight_score"]
    keys = values @ p["weight_key"].T if kind == "general" else values
    return torch.einsum("btk,bk->bt", keys, query)


def main():
    for kind in ("additive", "dot", "general"):
        random = np.random.default_rng(len(kind))
        query_size = VALUE if kind == "dot" else 3
        inside = torch.arange(STEPS)[None, :] < torch.tensor(LENGTHS)[:, None]
        p = {"query": uniform(random, 2, BATCH, query_size), "outputs": uniform(random, 2, STEPS, BATCH, VALUE)}
        p["outputs"] *= inside.T[:, :, None]
        if kind == "additive":
            p["weight_query"] = uniform(random, 1, HIDDEN, query_size)
            p["weight_key"] = uniform(random, 1, HIDDEN, VALUE)
            p["weight_score"] = uniform(random, 1, HIDDEN)
        if kind == "general":
            p["weight_key"] = uniform(random, 1, query_size, VALUE)
        for array in p.values():
            array.requires_grad_()
        values = p["outputs"].transpose(0, 1)
        scores = scores_of(kind, p["query"], values, p).masked_fill(~inside, -float("inf"))
        weights = torch.softmax(scores, 1)
        context = torch.einsum("bt,btf->bf", weights, values)
        d_context, d_weights = uniform(random, 1, BATCH, VALUE), uniform(random, 1, BATCH, STEPS)
        (torch.sum(context * d_context) + torch.sum(weights * d_weights)).backward()
        arrays = {name: array.detach().numpy() for name, array in p.items()}
        arrays |= {"grad." + name: array.grad.numpy() for name, array in p.items()}
        arrays |= {"lengths": np.array(LENGTHS, dtype=float), "d_context": d_context.numpy(), "d_weights": d_weights.numpy()}
        arrays |= {"context": context.detach().numpy(), "weights": weights.detach().numpy()}
        write_safetensors(pathlib.Path(__file__).parent / f"attention_{kind}.safetensors", arrays)


if __name__ == "__main__":
    main()
