#!/usr/bin/python3
"""Writes optimizers.safetensors: PyTorch's steps of SGD, Adam and AdamW, in double precision.

    /usr/bin/python3 tests/goldens/make_optim_goldens.py  # apt install python3-torch python3-numpy

All start from `start` and follow the gradients of `gradients`, one row per step; CASE is the value
after each step. Adam's bias corrections change most in the first steps, so a dozen is enough.
Running it again gives the same bytes.
"""
import pathlib

import numpy as np
import torch

from make_goldens import uniform, write_safetensors

STEPS, SIZE = 12, 7
OTHER = dict(lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2)
CASES = {
    "sgd": (torch.optim.SGD, dict(lr=0.1)),
    "sgd_decay": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.2)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.2, momentum=0.9)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.2, momentum=0.9, nesterov=True)),
    "adam": (torch.optim.Adam, {}),
    "adam_decay": (torch.optim.Adam, OTHER),
    "adamw": (torch.optim.AdamW, {}),
    "adamw_decay": (torch.optim.AdamW, OTHER),
}


def steps(optimizer, options, start, gradients):
    p = torch.nn.Parameter(start.clone())
    optimizer = optimizer([p], **options)
    values = []
    for gradient in gradients:
        p.grad = gradient.clone()
        optimizer.step()
        values.append(p.detach().clone())
    return torch.stack(values).numpy()


if __name__ == "__main__":
    random = np.random.RandomState(2000)
    start, gradients = uniform(random, 1, SIZE), uniform(random, 1, STEPS, SIZE)
    gradients[3] = 0  # a gradient of zeros is a step too
    arrays = {"start": start.numpy(), "gradients": gradients.numpy()}
    arrays |= {name: steps(*case, start, gradients) for name, case in CASES.items()}
    folder = pathlib.Path(__file__).resolve().parent
    write_safetensors(folder / "optimizers.safetensors", arrays)
