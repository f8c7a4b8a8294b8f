// k-fold cross-validation.
#pragma once

#include "options.hpp"

namespace sentiment {

// For each fold, trains on the others (of which the dev share chooses the epoch) in FOLDER/fold-1,
// .. and measures on it; prints a line for each and the mean. With --resume, folds that are done
// are only measured. Returns the program's exit code.
int cross_validate(LearnOptions& options, std::size_t folds, const CLI::App& command);

}  // namespace sentiment
