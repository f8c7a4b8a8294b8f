// What `train` and `cross-validate` are told.
#pragma once

#include "../common/text_source.hpp"
#include "training.hpp"

namespace sentiment {

struct LearnOptions {
  apps::TextSource source;
  std::string dev_file;
  Settings settings;
  TaskOptions task;
  TrainOptions training;
  bool baseline = false;

  void add_options(CLI::App& command);
};

}  // namespace sentiment
