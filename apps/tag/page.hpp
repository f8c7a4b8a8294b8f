// What a report says of a tagger.
#pragma once

#include "../common/report.hpp"
#include "evaluation.hpp"
#include "model.hpp"

namespace tag {

// Accuracy beside the baseline's, tags and confusions, and some sentences as they are tagged, all
// of dev, which may be empty; then writes the page.
void write_page(const std::filesystem::path& path, apps::Report& report, const Tagger& tagger,
                const MostFrequentTag& baseline, const Sentences& dev);

}  // namespace tag
