// The program's commands and flags as plain data, from which completion scripts are made.
#include "cli/command_outline.h"

#include "cli/help_format.h"

#include <mlaan/data/dataset.h>
#include <mlaan/local/method.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/settings.h>

#include <algorithm>
#include <sstream>

namespace mlaan::cli {
namespace {

/// "{sgd,adam}" → sgd, adam
std::vector<std::string> choices(const std::string& value) {
  std::vector<std::string> words;
  std::istringstream text(value.substr(1, value.size() - 2));
  for (std::string word; std::getline(text, word, ',');) words.push_back(word);
  return words;
}

/// All keys of settings as "lr=", to be followed by a value.
std::vector<std::string> assignable_keys() {
  const Settings defaults;
  std::vector<std::string> keys = defaults.options().keys();
  for (auto& key : keys) key += "=";
  return keys;
}

std::vector<std::string> method_names() {
  std::vector<std::string> names = method_registry().names();
  names.emplace_back("auto");
  return names;
}

/// What to offer for a value with this placeholder.
Offer offer_for(const std::string& value) {
  using Kind = Offer::Kind;
  if (!value.empty() && value.front() == '{') return {Kind::words, choices(value)};
  if (value == "FILE" || value == "PATH") return {Kind::files, {}};
  if (value == "DIR") return {Kind::folders, {}};
  if (value == "METHOD") return {Kind::words, method_names()};
  if (value == "METHODS") return {Kind::word_list, method_names()};
  if (value == "MODEL") return {Kind::words, backbone_registry().names()};
  if (value == "DATASET") return {Kind::words, dataset_registry().names()};
  if (value == "DEVICE") return {Kind::words, {"cpu", "cuda"}};
  if (value == "PARTITION") {
    return {Kind::words, {"default", "published", "uniform", "bytes", "multiply-adds"}};
  }
  if (value == "KEY=VALUE") return {Kind::words, assignable_keys()};
  return {};
}

/// The first part of a help text.
std::string in_few_words(const std::string& help) {
  const std::string first = help.substr(0, help.find_first_of(";:["));
  return first.substr(0, first.find_last_not_of(' ') + 1);
}

FlagOutline outline_of(const CLI::Option& option) {
  FlagOutline flag;
  for (const auto& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) flag.names.push_back("--" + name);
  flag.help = in_few_words(option.get_description());
  flag.value = value_name(option);
  flag.value_is_optional = option.get_expected_min() == 0;
  flag.takes_many = option.get_expected_max() > 1;
  flag.offer = offer_for(flag.value);
  if (option.get_positional()) flag.value = option.get_name(true, false);
  return flag;
}

}  // namespace

CommandOutline outline(const CLI::App& app, const std::vector<std::string>& path) {
  CommandOutline command;
  command.path = path;
  command.help = in_few_words(app.get_description());
  for (const auto* option : app.get_options()) {
    auto& list = option->get_positional() ? command.arguments : command.flags;
    list.push_back(outline_of(*option));
  }
  for (const auto* below : app.get_subcommands(nullptr)) {
    std::vector<std::string> path_below = path;
    path_below.push_back(below->get_name());
    command.commands.push_back(outline(*below, path_below));
  }
  return command;
}

std::vector<const CommandOutline*> all_commands(const CommandOutline& command) {
  std::vector<const CommandOutline*> all{&command};
  for (const auto& below : command.commands) {
    const auto more = all_commands(below);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

std::string path_text(const CommandOutline& command) {
  std::string text;
  for (const auto& name : command.path) text += " " + name;
  return text;
}

}  // namespace mlaan::cli
