// Training and measuring a music model.
#pragma once

#include <reel/data/batches.hpp>
#include "../common/report.hpp"

#include "model.hpp"

namespace music {

struct Score {
  double nll = 0;        // nats per step: sum over keys, mean over steps
  double nll_later = 0;  // without each piece's first step, as Bai et al. 2018 count
  double accuracy = 0;   // sounding keys that were told, of those that sounded or were told
};
Score evaluate(const Model& model, const std::vector<reel::PianoRoll>& rolls);

// What can be said without a network, fitted on `train`: the nats per step on `rolls` if each key
// sounds as often as it did there; and if it depends on whether it sounded in the step before.
struct Baselines {
  double share, share_after_last;
};
Baselines baselines(const std::vector<reel::PianoRoll>& train,
                    const std::vector<reel::PianoRoll>& rolls);

// Learns from the train part, each piece moved in every epoch by a random interval of at most so
// many semitones. The model ends as it was after the epoch that was best on the valid part. Returns
// false if Ctrl-C ended it early. Tells `report` of it.
bool train(Model& model, const reel::PianoRolls& rolls, std::size_t transpose,
           const apps::TrainingOptions& options, apps::Report& report);

}  // namespace music
