// The partitions and leap rows of the papers' code.
//
// Sources: the configuration tables of InfoPro (ICLR 2021), MAN and MLAAN (AAAI 2025), which count
// blocks as stage.block, stages from 1 and blocks from 0.
#include <mlaan/local/published.h>

#include <sstream>
#include <string>

namespace mlaan {
namespace {

/// "2.1 3.0" → the positions of layer2.1 and layer3.0.
std::vector<std::size_t> parse_blocks(const Backbone& backbone, const std::string& text) {
  std::vector<std::size_t> units;
  std::istringstream words(text);
  for (std::string word; words >> word;) units.push_back(backbone.unit_index("layer" + word));
  return units;
}

struct Split {
  const char* backbone;
  std::size_t modules;
  const char* last_blocks;  ///< last block of each module but the last
};

constexpr Split splits[] = {
    {"resnet32", 2, "2.1"},
    {"resnet32", 3, "1.4 2.4"},
    {"resnet32", 4, "1.2 2.1 3.0"},
    {"resnet32", 8, "1.0 1.2 1.4 2.1 2.3 3.0 3.2"},
    {"resnet110", 2, "2.8"},
    {"resnet110", 3, "1.17 2.17"},
    {"resnet110", 4, "1.11 2.7 3.3"},
    {"resnet110", 8, "1.4 1.11 2.0 2.7 2.14 3.3 3.10"},
    {"resnet110", 16, "1.1 1.4 1.7 1.10 1.13 1.16 2.1 2.4 2.7 2.11 2.15 3.1 3.5 3.9 3.13"},
    {"resnet110", 32,
     "1.1 1.2 1.4 1.5 1.7 1.9 1.11 1.13 1.14 1.16 1.17 "
     "2.1 2.2 2.4 2.5 2.7 2.9 2.11 2.13 2.14 2.16 2.17 "
     "3.1 3.3 3.4 3.6 3.7 3.9 3.11 3.13 3.15"},
};

/// Leap rows of the modules `first` … `last`, counted from 1.
struct Rows {
  const char* backbone;
  std::size_t modules;
  std::size_t first;
  std::size_t last;
  const char* blocks;
};

constexpr Rows published_rows[] = {
    {"resnet32", 8, 1, 2, "2.0 3.0 3.2 3.4"},
    {"resnet32", 8, 3, 3, "2.0 3.0 3.3 3.4"},
    {"resnet32", 8, 4, 5, "3.0 3.2 3.3 3.4"},
    {"resnet32", 8, 6, 6, "3.2 3.3 3.4"},
    {"resnet32", 8, 7, 7, "3.3 3.4"},
    {"resnet32", 15, 1, 2, "2.0 3.0 3.2 3.4"},
    {"resnet32", 15, 3, 3, "2.0 3.0 3.3 3.4"},
    {"resnet32", 15, 4, 4, "2.0 3.0 3.2 3.4"},
    {"resnet32", 15, 5, 5, "2.0 3.0 3.3 3.4"},
    {"resnet32", 15, 6, 10, "3.0 3.2 3.3 3.4"},
    {"resnet32", 15, 11, 11, "3.1 3.2 3.4"},
    {"resnet32", 15, 12, 12, "3.2 3.3 3.4"},
    {"resnet32", 15, 13, 13, "3.3 3.4"},
    {"resnet32", 15, 14, 14, "3.4"},
    {"resnet110", 54, 1, 18, "2.0 3.0 3.2 3.17"},
    {"resnet110", 54, 19, 35, "3.0 3.2 3.3 3.17"},
    {"resnet110", 54, 36, 36, "3.0 3.3 3.4 3.17"},
    {"resnet110", 54, 37, 43, "3.8 3.17"},
    {"resnet110", 54, 44, 47, "3.14 3.17"},
    {"resnet110", 54, 48, 49, "3.15 3.17"},
    {"resnet110", 54, 50, 52, "3.16 3.17"},
    {"resnet110", 54, 53, 53, "3.17"},
    {"resnet110", 32, 1, 11, "2.0 3.0 3.2 3.17"},
    {"resnet110", 32, 12, 21, "3.0 3.2 3.3 3.17"},
    {"resnet110", 32, 22, 22, "3.0 3.3 3.4 3.17"},
    {"resnet110", 32, 23, 26, "3.8 3.17"},
    {"resnet110", 32, 27, 28, "3.14 3.17"},
    {"resnet110", 32, 29, 29, "3.15 3.17"},
    {"resnet110", 32, 30, 30, "3.16 3.17"},
    {"resnet110", 32, 31, 31, "3.17"},
    {"resnet101", 33, 1, 3, "2.0 3.0 4.0 4.2"},
    {"resnet101", 33, 4, 7, "3.0 4.0 4.1"},
    {"resnet101", 33, 8, 30, "4.0 4.1"},
    {"resnet101", 33, 31, 31, "4.1 4.2"},
    {"resnet101", 33, 32, 32, "4.2"},
};

}  // namespace

std::optional<Partition> published_partition(const Backbone& backbone, std::size_t modules) {
  const std::string& name = backbone.name();
  if (name != "resnet32" && name != "resnet110" && name != "resnet101") return std::nullopt;
  // One module per block; the stem belongs to the first module or is a module itself.
  if (modules == backbone.block_count() || modules == backbone.size()) {
    return Partition::uniform(backbone, modules);
  }
  for (const auto& split : splits) {
    if (split.backbone != backbone.name() || split.modules != modules) continue;
    auto last_units = parse_blocks(backbone, split.last_blocks);
    last_units.push_back(backbone.size() - 1);
    return Partition(std::move(last_units));
  }
  return std::nullopt;
}

Partition default_partition(const Backbone& backbone, std::size_t modules) {
  if (modules == 0) modules = backbone.block_count();
  if (auto published = published_partition(backbone, modules)) return *std::move(published);
  return Partition::uniform(backbone, modules);
}

std::optional<std::vector<LeapRow>> published_leap_rows(const Backbone& backbone,
                                                        const Partition& partition) {
  const auto published = published_partition(backbone, partition.size());
  if (!published || !(*published == partition)) return std::nullopt;
  std::vector<LeapRow> found;
  for (const auto& row : published_rows) {
    if (row.backbone != backbone.name() || row.modules != partition.size()) continue;
    const LeapRow blocks = parse_blocks(backbone, row.blocks);
    for (std::size_t module = row.first; module <= row.last; ++module) found.push_back(blocks);
  }
  if (found.empty()) return std::nullopt;
  return found;
}

}  // namespace mlaan
