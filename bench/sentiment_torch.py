#!/usr/bin/env python3
"""PyTorch's side of reel-bench-sentiment, which runs it and talks to it.

Arguments: packed|padded loop|foreach threads words embedding hidden dropout word_dropout clip.
Says "ready", then reads int64s and floats, raw: the number of batches; for each T, B, lengths [B],
tokens [T, B], labels [B]; then the parameters by PyTorch's names. Answers lines: "loss" with the
loss of the first batch without dropout; "step FIRST COUNT RATE" with the seconds of COUNT steps
from batch FIRST on.
"""
import os
import sys
import time

form, adam, threads = sys.argv[1:4]
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = threads
try:
    import numpy as np
    import torch
except ImportError as error:
    print(f"{sys.executable}: {error}; apt install python3-torch, or name another --python")
    sys.exit()


class Model(torch.nn.Module):
    def __init__(self, words, embedding, hidden, dropout):
        super().__init__()
        self.embedding = torch.nn.Embedding(words, embedding, padding_idx=0)
        self.recurrent = torch.nn.LSTM(embedding, hidden)
        self.head = torch.nn.Linear(hidden, 1)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, tokens, lengths):
        x = self.dropout(self.embedding(tokens))
        if form == "packed":
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)
            last = self.recurrent(packed)[1][0][0]
        else:
            last = self.recurrent(x)[0][lengths - 1, torch.arange(len(lengths))]
        return self.head(self.dropout(last)).squeeze(1)


def receive(kind, *shape):
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    data = np.frombuffer(sys.stdin.buffer.read(size), kind)
    return torch.from_numpy(data.reshape(shape).copy())


def main():
    torch.set_num_threads(int(threads))
    words, embedding, hidden = map(int, sys.argv[4:7])
    dropout, word_dropout, clip = map(float, sys.argv[7:10])
    print("ready", flush=True)
    batches = []
    for _ in range(int(receive(np.int64, 1))):
        steps, rows = receive(np.int64, 2).tolist()
        lengths, tokens = receive(np.int64, rows), receive(np.int64, steps, rows)
        batches.append((tokens, lengths, receive(np.float32, rows)))
    model = Model(words, embedding, hidden, dropout)
    with torch.no_grad():
        for _, parameter in model.named_parameters():
            parameter.copy_(receive(np.float32, *parameter.shape))
    optimizer = torch.optim.Adam(model.parameters(), foreach=adam == "foreach")
    loss_of = torch.nn.BCEWithLogitsLoss()

    def step(tokens, lengths, labels):
        hidden_words = (torch.rand(tokens.shape) < word_dropout) & (tokens != 0)
        optimizer.zero_grad(set_to_none=True)
        loss_of(model(tokens.masked_fill(hidden_words, 1), lengths), labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()

    for line in sys.stdin.buffer:
        command = line.split()
        if command[0] == b"step":
            first, count = map(int, command[1:3])
            for group in optimizer.param_groups:
                group["lr"] = float(command[3])
            start = time.perf_counter()
            for i in range(first, first + count):
                step(*batches[i % len(batches)])
            print(time.perf_counter() - start, flush=True)
        else:
            tokens, lengths, labels = batches[0]
            with torch.no_grad():
                model.eval()
                print(float(loss_of(model(tokens, lengths), labels)), flush=True)
                model.train()


main()
