// Leap augmented modules (LAM), the second half of MLAAN (AAAI 2025).
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/published.h>

#include <sstream>

namespace mlaan {
namespace {

Twins parse_twins(const std::string& text) {
  if (text == "none") return Twins::none;
  return text == "all" ? Twins::all : Twins::first;
}

LeapRow parse_row(const Backbone& backbone, const std::string& text) {
  LeapRow row;
  std::istringstream words(text);
  for (std::string word; words >> word;) row.push_back(backbone.unit_index(word));
  return row;
}

std::vector<LeapRow> leap_rows(const Backbone& backbone, const Partition& partition,
                               const LamOptions& options) {
  std::vector<LeapRow> rows;
  if (!options.rows.empty()) {
    for (const auto& text : options.rows) rows.push_back(parse_row(backbone, text));
    return rows;
  }
  const bool default_length = options.length == LamOptions().length;
  if (default_length) {
    if (auto published = published_leap_rows(backbone, partition)) return *std::move(published);
  }
  for (std::size_t j = 0; j + 1 < partition.size(); ++j) {
    rows.push_back(
        leap_row(backbone, partition.last_unit(j), static_cast<std::size_t>(options.length)));
  }
  return rows;
}

}  // namespace

Accepts part_of_steps() {
  return {[](const OptionValue& value) {
            const auto* part = std::get_if<double>(&value);
            return part != nullptr && *part > 0 && *part <= 1;
          },
          "above 0, at most 1"};
}

Accepts twinned_layers() {
  return one_of({"none", "first", "all"});
}

void LamOptions::describe(FieldList& fields) {
  fields.add("ema_momentum", ema_momentum, "momentum m of the twins' moving average",
             between(0, 1));
  fields.add("twins", twins, "leap layers that have a frozen twin", twinned_layers());
  fields.add("length", length,
             "leap layers per net, where neither published rows nor lam.rows are used",
             count_from(1));
  fields.add("pool", pool, "factor of average pooling before a module's leap layers; 1: none",
             count_from(1));
  fields.add("narrow", narrow, "factor by which leap layers have fewer channels", count_from(1));
  fields.add(
      "tied", tied,
      "let leap layers use their units' own weights, without twins, instead of training copies");
  fields.add("frozen", frozen,
             "keep leap layers as they are when the training, or its phase, starts");
  fields.add(
      "readout", readout,
      "end leap nets in the backbone's head, with its own weights, instead of the host's net");
  fields.add("shared", shared, "let the modules of a stage share one leap net");
  fields.add("fraction", fraction,
             "share of the steps, chosen at random, in which a leap net is evaluated; its weight "
             "is divided by it",
             part_of_steps());
  fields.add("rows", rows,
             "leap layers by hand: a string of unit names for each module but the last, such as "
             "\"layer2.0 layer3.0 layer3.4\"");
}

namespace methods {

LeapAugmented leap_augmented(const Backbone& backbone, const Partition& partition,
                             const LamOptions& options) {
  if (options.tied && options.frozen) {
    throw UserError("lam.tied and lam.frozen exclude each other: tied layers follow their units");
  }
  return {leap_rows(backbone, partition, options),
          parse_twins(options.twins),
          options.ema_momentum,
          options.pool,
          options.narrow,
          options.tied,
          options.frozen,
          options.readout,
          options.shared,
          options.fraction};
}

Plan lam(const Backbone& backbone, const Partition& partition, const LamOptions& options,
         const GreedyOptions& host, std::uint64_t seed) {
  return make_plan({partition, greedy_host(host), {}, leap_augmented(backbone, partition, options)},
                   backbone, seed);
}

AdditionEntry lam_addition() {
  return {"lam", "leap layers, copies of later units, before its nets",
          [](OptionSet& options) { options.get<LamOptions>(); },
          [](LocalMethod& method, const Backbone& backbone, const OptionSet& options) {
            method.leap_augmented =
                leap_augmented(backbone, method.partition, options.get<LamOptions>());
          }};
}

MethodEntry lam_entry() {
  return composed_entry(
      "lam", "leap augmented modules: each module on its own, with copies of later units",
      greedy_entry(), {lam_addition()});
}

}  // namespace methods
}  // namespace mlaan
