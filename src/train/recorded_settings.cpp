// Compares the settings that a run was begun with to those that are asked for now.
#include "train/recorded_settings.h"

#include <mlaan/train/options.h>

namespace mlaan {

bool is_free_to_differ(const std::string& key) {
  static const std::set<std::string> keys{"output",          "data",         "workers",
                                          "save.every",      "save.keep",    "log.steps",
                                          "log.tensorboard", "model_ema.use"};
  return keys.count(key) > 0;
}

bool is_settled_by_the_run(const Field& asked) {
  return (asked.key == "engine.memory_format" &&
          asked.value() == OptionValue(std::string("auto"))) ||
         (asked.key == "engine.check_precision" && asked.value() == OptionValue(true)) ||
         (asked.key == "threads" && asked.value() == OptionValue(std::int64_t{0})) ||
         (asked.key == "dist.split" && (asked.value() == OptionValue(std::string("time")) ||
                                        asked.value() == OptionValue(std::string("bytes"))));
}

std::optional<OtherSetting> first_difference(const Settings& recorded, const Settings& asked,
                                             const std::set<std::string>& besides) {
  for (const auto& field : asked.options().fields()) {
    const OptionValue value = recorded.options().field(field.key).value();
    const bool may_differ = is_free_to_differ(field.key) || is_settled_by_the_run(field) ||
                            besides.count(field.key) > 0;
    if (!may_differ && value != field.value()) return OtherSetting{field.key, value, field.value()};
  }
  return std::nullopt;
}

}  // namespace mlaan
