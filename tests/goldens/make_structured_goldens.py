#!/usr/bin/python3
"""Writes crf.safetensors and ctc_CASE.safetensors: losses over label sequences, in double precision.

    /usr/bin/python3 tests/goldens/make_structured_goldens.py  # apt install python3-torch python3-numpy

The CRF is written out below with torch's operations, one row at a time; its best paths are found among all paths. CTC is
torch.nn.functional.ctc_loss of log_softmax(logits). What is differentiated is sum(loss * d_loss) over the rows that have
a finite loss; `grad.NAME` is its gradient. Inputs are zero past a row's length, labels -1 past a target's end. Running it
again on one machine gives the same bytes.
"""
import itertools
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

from make_goldens import uniform, write_safetensors


def ragged(random, steps, lengths, width, bound):
    x = uniform(random, bound, steps, len(lengths), width)
    for row, length in enumerate(lengths):
        x[length:, row] = 0
    return x.requires_grad_()


def padded(rows, width):
    return np.array([list(row) + [-1] * (width - len(row)) for row in rows], dtype=float)


def crf(random):
    steps, tags, lengths = 6, 4, [3, 6, 1, 5]
    p = {"emissions": ragged(random, steps, lengths, tags, 2)}
    for name, shape in ("transitions", (tags, tags)), ("start_transitions", (tags,)), ("end_transitions", (tags,)):
        p[name] = uniform(random, 2, *shape).requires_grad_()

    def score(row, path):
        total = p["start_transitions"][path[0]] + p["end_transitions"][path[-1]]
        total = total + sum(p["emissions"][t, row, tag] for t, tag in enumerate(path))
        return total + sum(p["transitions"][a, b] for a, b in zip(path, path[1:]))

    losses, best, best_scores = [], [], []
    gold = [[int(tag) for tag in random.randint(0, tags, length)] for length in lengths]
    for row, length in enumerate(lengths):
        alpha = p["start_transitions"] + p["emissions"][0, row]
        for t in range(1, length):
            alpha = torch.logsumexp(alpha[:, None] + p["transitions"], 0) + p["emissions"][t, row]
        losses.append(torch.logsumexp(alpha + p["end_transitions"], 0) - score(row, gold[row]))
        with torch.no_grad():
            best.append(max(itertools.product(range(tags), repeat=length), key=lambda path: score(row, path)))
            best_scores.append(float(score(row, best[-1])))
    losses = torch.stack(losses)
    d_loss = uniform(random, 1, len(lengths))
    (losses * d_loss).sum().backward()
    arrays = {name: x.detach().numpy() for name, x in p.items()}
    arrays |= {"grad." + name: x.grad.numpy() for name, x in p.items()}
    return arrays | {
        "lengths": np.array(lengths, float), "tags": padded(gold, steps), "d_loss": d_loss.numpy(),
        "loss": losses.detach().numpy(), "best": padded(best, steps), "best_scores": np.array(best_scores),
    }


CTC = {  # name: (symbols, blank, lengths, targets, bound of the logits)
    # Repeats, no labels, one step, and a row that is just long enough for a repeat.
    "ragged": (6, 0, [12, 7, 9, 1, 4], [[1, 2, 3], [2, 2, 4], [], [5], [3, 3, 1]], 2),
    "blank_last": (4, 3, [5, 8], [[0, 1], [2, 2, 0, 0]], 2),
    # Too short for the repeat, and for the labels; and one that is not. (Of length 0 PyTorch 1.13 says log 1/2.)
    "infeasible": (5, 0, [3, 2, 6], [[1, 1, 2], [2, 3, 4], [4, 1]], 2),
    "long": (5, 0, [200, 150], [[1 + i % 4 for i in range(30)], [1 + i // 2 % 4 for i in range(40)]], 8),
}


def ctc(random, symbols, blank, lengths, targets, bound):
    logits = ragged(random, max(lengths), lengths, symbols, bound)
    width = max(map(len, targets))
    labels = torch.tensor(padded(targets, width)).long().clamp(min=0)
    arguments = (torch.tensor(lengths), torch.tensor([len(t) for t in targets]))
    loss = F.ctc_loss(F.log_softmax(logits, 2), labels, *arguments, blank=blank, reduction="none")
    zeroed = F.ctc_loss(F.log_softmax(logits, 2), labels, *arguments, blank=blank, reduction="none", zero_infinity=True)
    assert torch.equal(torch.where(torch.isinf(loss), 0, loss), zeroed)
    d_loss = uniform(random, 1, len(lengths))
    (zeroed * d_loss).sum().backward()
    return {
        "logits": logits.detach().numpy(), "lengths": np.array(lengths, float), "targets": padded(targets, width),
        "blank": np.array([blank], float), "d_loss": d_loss.numpy(), "loss": loss.detach().numpy(),
        "zeroed": zeroed.detach().numpy(), "grad.logits": logits.grad.numpy(),
    }


if __name__ == "__main__":
    folder = pathlib.Path(__file__).resolve().parent
    write_safetensors(folder / "crf.safetensors", crf(np.random.RandomState(2001)))
    for seed, (name, case) in enumerate(CTC.items()):
        write_safetensors(folder / f"ctc_{name}.safetensors", ctc(np.random.RandomState(2006 + seed), *case))
