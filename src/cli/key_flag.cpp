// The command-line flag of a settings key: its names, its group in the help, its value.
#include "cli/key_flag.h"

#include <algorithm>
#include <map>

namespace mlaan::cli {
namespace {

std::string find_text(const std::map<std::string, std::string>& texts, const std::string& key) {
  const auto found = texts.find(key);
  return found == texts.end() ? "" : found->second;
}

/// The name in other trainers, if it differs from the key's last part.
std::string usual_name(const std::string& key) {
  static const std::map<std::string, std::string> names{
      {"optimizer.type", "--opt"},
      {"schedule.type", "--sched"},
      {"model_ema.enabled", "--model-ema"},
      {"model_ema.decay", "--model-ema-decay"},
      {"save.every", "--save-every"},
      {"log.steps", "--log-interval"},
      {"schedule.factor", "--decay-rate"},
      {"limit.steps", "--max-steps"},
      {"limit.time", "--max-time"},
      {"limit.train_batches", "--limit-train-batches"},
      {"limit.validation_batches", "--limit-val-batches"},
      {"limit.test_batches", "--limit-test-batches"},
  };
  return find_text(names, key);
}

/// Additional names, each with a trailing comma.
std::string further_names(const std::string& key) {
  static const std::map<std::string, std::string> names{
      {"batch_size", "-b,"},
      {"workers", "-j,"},
      {"augment.label_smoothing", "--smoothing,"},
      {"augment.erase", "--reprob,"},
      {"augment.mix_off_epoch", "--mixup-off-epoch,"},
  };
  return find_text(names, key);
}

std::string section_of(const std::string& key) {
  const auto dot = key.find('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

/// "{sgd,adam,adamw}" for an option that accepts only these texts; else "".
std::string choices_of(const Field& field) {
  const std::string begin = "one of ";
  const std::string& accepted = field.accepts.text;
  if (accepted.compare(0, begin.size(), begin) != 0) return "";
  std::string choices;
  for (const char letter : accepted.substr(begin.size())) {
    if (letter != ' ') choices += letter;
  }
  return "{" + choices + "}";
}

}  // namespace

std::string flag_names(const std::string& key) {
  std::string name = usual_name(key);
  if (name.empty()) {
    name = "--" + key.substr(key.rfind('.') + 1);
    std::replace(name.begin(), name.end(), '_', '-');
  }
  return further_names(key) + name;
}

namespace {

/// The headings of keys that are listed under another heading than their section.
const std::map<std::string, std::string>& groups_of_keys() {
  static const std::map<std::string, std::string> groups{
      {"dataset", group::data},
      {"data", group::data},
      {"train_limit", group::data},
      {"workers", group::data},
      {"model", group::model},
      {"weights", group::model},
      {"weights_head", group::model},
      {"method", group::method},
      {"modules", group::method},
      {"partition", group::method},
      {"baseline", group::method},
      {"lr", group::optimizer},
      {"device", group::hardware},
      {"threads", group::hardware},
      {"memory", group::hardware},
      {"output", group::saving},
      {"augment.label_smoothing", group::regularisation},
      {"optimizer.weight_decay", group::regularisation},
      {"drop_path", group::regularisation},
      {"limit.validation_batches", group::validation},
      {"limit.test_batches", group::validation},
  };
  return groups;
}

const std::map<std::string, std::string>& groups_of_sections() {
  static const std::map<std::string, std::string> groups{
      {"", group::training},
      {"optimizer", group::optimizer},
      {"schedule", group::schedule},
      {"augment", group::augmentation},
      {"model_ema", group::regularisation},
      {"teacher", group::regularisation},
      {"engine", group::hardware},
      {"dist", group::hardware},
      {"validation", group::validation},
      {"limit", group::training},
      {"early_stopping", group::training},
      {"save", group::saving},
      {"log", group::logging},
      {"folder", group::data},
      {"procedural", group::data},
      {"svhn", group::data},
  };
  return groups;
}

}  // namespace

std::string flag_group(const std::string& key) {
  std::string heading = find_text(groups_of_keys(), key);
  if (heading.empty()) heading = find_text(groups_of_sections(), section_of(key));
  // All other sections belong to methods.
  return heading.empty() ? group::method : heading;
}

std::string flag_value(const Field& field) {
  static const std::map<std::string, std::string> keys{
      {"dataset", "DATASET"},   {"data", "DIR"},          {"model", "MODEL"},
      {"weights", "FILE"},      {"method", "METHOD"},     {"output", "DIR"},
      {"device", "DEVICE"},     {"memory", "BYTES"},      {"partition", "PARTITION"},
      {"baseline", "METHOD"},   {"save.every", "PERIOD"}, {"limit.time", "TIME"},
      {"dist.timeout", "TIME"}, {"dist.bucket", "BYTES"},
  };
  if (std::holds_alternative<bool>(field.initial)) return "";
  std::string value = find_text(keys, field.key);
  if (value.empty()) value = choices_of(field);
  if (!value.empty()) return value;
  if (std::holds_alternative<std::int64_t>(field.initial)) return "N";
  return std::holds_alternative<double>(field.initial) ? "X" : "TEXT";
}

std::string flag_help(const Field& field) {
  constexpr std::size_t most = 190;  // three lines
  std::string help = field.help;
  if (help.size() > most) {
    const auto end = help.rfind(';', most);
    help = help.substr(0, end == std::string::npos ? help.find(": ") : end) + " ...";
  }
  const std::string initial = to_toml(field.initial);
  const bool is_text = std::holds_alternative<std::string>(field.initial);
  if (is_text && initial == "\"\"") return help;
  return help + " [" + (is_text ? std::get<std::string>(field.initial) : initial) + "]";
}

}  // namespace mlaan::cli
