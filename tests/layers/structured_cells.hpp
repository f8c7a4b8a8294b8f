// Cells whose states have parts of different shapes. docs/custom-cells.md quotes the stack.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/init.hpp>

namespace example {

using namespace reel;

// [stack cell]
// A cell with a stack of vectors (Joulin & Mikolov 2015), pushed to and popped from by degrees.
struct StackCell {
  static constexpr std::size_t kDepth = 4, kWidth = 3;
  struct State {
    Var h;      // [batch, hidden]
    Var stack;  // [batch, depth, width]
  };
  Parameter weight_ih, weight_hh, weight_top, weight_action, weight_push;

  StackCell(std::size_t in, std::size_t hidden, Random& random)
      : weight_ih(glorot(hidden, in, random)),
        weight_hh(orthogonal(hidden, random)),
        weight_top(glorot(hidden, kWidth, random)),
        weight_action(glorot(2, hidden, random)),
        weight_push(glorot(kWidth, hidden, random)) {}

  State initial_state(std::size_t batch) const {
    return {zeros({batch, weight_hh.shape()[1]}), zeros({batch, kDepth, kWidth})};
  }
  Var project(const Var& x) const { return affine(x, weight_ih); }
  State step(Var x, const State& s) const {
    const Var top = index(s.stack, 1, 0);
    const Var h = tanh(affine(top, weight_top, affine(s.h, weight_hh, std::move(x))));
    auto [push, pop] = split<2>(reshape(softmax(affine(h, weight_action)), {-1, 1, 2}));
    const Var first = reshape(tanh(affine(h, weight_push)), {-1, 1, kWidth});
    const Var pushed = concat({first, slice(s.stack, 1, 0, kDepth - 1)}, 1);
    const Var popped = pad(slice(s.stack, 1, 1, kDepth), 1, 0, 1);
    return {h, push * pushed + pop * popped};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("weight_top", self.weight_top);
    visit("weight_action", self.weight_action);
    visit("weight_push", self.weight_push);
  }
};
// [/stack cell]

// A memory of slots, read and written where a key points (after Graves et al. 2014).
struct MemoryCell {
  static constexpr std::size_t kSlots = 5, kWidth = 3;
  struct Memory {
    Var slots;    // [batch, slots, width]
    Var address;  // [batch, slots], of the last write
  };
  struct State {
    Var h;  // [batch, hidden]
    Memory memory;
  };
  // What x has to say of the hidden units and of the key.
  struct Projected {
    Var hidden, key;
  };
  Parameter weight_ih, weight_hh, weight_read, weight_key, weight_value;

  MemoryCell(std::size_t in, std::size_t hidden, Random& random)
      : weight_ih(glorot(hidden, in, random)),
        weight_hh(orthogonal(hidden, random)),
        weight_read(glorot(hidden, kWidth, random)),
        weight_key(glorot(kWidth, in, random)),
        weight_value(glorot(kWidth, hidden, random)) {}

  State initial_state(std::size_t batch) const {
    Array slots = empty_array({batch, kSlots, kWidth});
    for (std::size_t i = 0; i < slots.size(); ++i)
      slots.data()[i] = static_cast<real>(i % (kSlots * kWidth)) / (kSlots * kWidth);
    return {zeros({batch, weight_hh.shape()[1]}),
            {std::move(slots), full_array({batch, kSlots}, real(1) / kSlots)}};
  }
  Projected project(const Var& x) const { return {affine(x, weight_ih), affine(x, weight_key)}; }
  State step(Projected x, const State& s, const Var& h) const {
    const Var key = reshape(x.key, {-1, 1, kWidth});
    const Var found = softmax(sum(s.memory.slots * key, {2}));
    const Var address = (found + s.memory.address) / 2;
    const Var places = reshape(address, {-1, kSlots, 1});
    const Var read = sum(s.memory.slots * places, {1});
    const Var next = tanh(affine(h, weight_hh, std::move(x.hidden)) + affine(read, weight_read));
    const Var value = reshape(affine(next, weight_value), {-1, 1, kWidth});
    return {next, {s.memory.slots + places * (value - s.memory.slots), address}};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("weight_read", self.weight_read);
    visit("weight_key", self.weight_key);
    visit("weight_value", self.weight_value);
  }
};

}  // namespace example
