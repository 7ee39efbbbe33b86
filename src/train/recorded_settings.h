// Compares the settings that a run was begun with to those that are asked for now.
#pragma once

#include <mlaan/train/settings.h>

#include <optional>
#include <set>
#include <string>

namespace mlaan {

/// Whether a setting does not affect results: where files are, and how often they are written.
bool is_free_to_differ(const std::string& key);

/// Whether a run replaces this value by one that it finds out itself, by measuring or from the
/// machine, and records that one instead.
bool is_settled_by_the_run(const Field& asked);

/// A setting whose value differs from the recorded one.
struct OtherSetting {
  std::string key;
  OptionValue recorded;
  OptionValue asked;
};

/// The first setting that differs, apart from those that are free to differ, those that the run
/// settles itself, and `besides`.
std::optional<OtherSetting> first_difference(const Settings& recorded, const Settings& asked,
                                             const std::set<std::string>& besides = {});

}  // namespace mlaan
