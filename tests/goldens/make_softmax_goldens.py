#!/usr/bin/python3
"""Writes the golden files of the language models' outputs: PyTorch's adaptive softmax and tied embedding.

    /usr/bin/python3 tests/goldens/make_softmax_goldens.py   # Debian 12: apt install python3-torch python3-numpy

adaptive_softmax*.safetensors: torch.nn.AdaptiveLogSoftmaxWithLoss, its loss, log_prob and all gradients of the loss.
tied_embedding.safetensors: decoder.weight = encoder.weight; loss = cross_entropy(decoder(tanh(encoder(inputs))), targets).
Double precision; names and format are those of make_goldens.py; running it again gives the same bytes.
"""
import pathlib

import numpy as np
import torch

from make_goldens import uniform, write_safetensors

ROWS, WIDTH, CLASSES = 9, 6, 17
CASES = {  # cutoffs, div_value, head_bias
    "adaptive_softmax": ([4, 9], 2.0, False),
    "adaptive_softmax_bias": ([5, 6, 12], 1.5, True),
}


def fill(random, module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(uniform(random, 1, *parameter.shape))


def numbers(values):
    return {name: value.detach().double().numpy() for name, value in values.items()}


def adaptive(random, cutoffs, div_value, head_bias):
    layer = torch.nn.AdaptiveLogSoftmaxWithLoss(WIDTH, CLASSES, cutoffs, div_value, head_bias).double()
    fill(random, layer)
    h = uniform(random, 1.5, ROWS, WIDTH).requires_grad_()
    targets = torch.tensor([0, 16, 5, 3, 11, 9, 4, 16, 1])
    loss = layer(h, targets).loss
    loss.backward()
    results = {"h": h, "targets": targets, "loss": loss, "log_prob": layer.log_prob(h), "grad.h": h.grad}
    named = dict(layer.named_parameters())
    return numbers(results | named | {"grad." + name: p.grad for name, p in named.items()})


def tied(random):
    encoder, decoder = torch.nn.Embedding(CLASSES, WIDTH).double(), torch.nn.Linear(WIDTH, CLASSES).double()
    decoder.weight = encoder.weight
    fill(random, torch.nn.ModuleList([encoder, decoder]))
    inputs, targets = torch.tensor([3, 0, 16, 3, 8]), torch.tensor([1, 3, 3, 16, 2])
    logits = decoder(torch.tanh(encoder(inputs)))
    loss = torch.nn.functional.cross_entropy(logits, targets)
    loss.backward()
    model = torch.nn.ModuleDict({"encoder": encoder, "decoder": decoder}).state_dict()
    gradients = {"grad.encoder.weight": encoder.weight.grad, "grad.decoder.bias": decoder.bias.grad}
    return numbers({"inputs": inputs, "targets": targets, "logits": logits, "loss": loss} | model | gradients)


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).resolve().parent
    for seed, (name, case) in enumerate(CASES.items()):
        write_safetensors(folder / f"{name}.safetensors", adaptive(np.random.RandomState(3000 + seed), *case))
    write_safetensors(folder / "tied_embedding.safetensors", tied(np.random.RandomState(3100)))
