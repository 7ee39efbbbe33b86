// Settings that a run was begun with, beside those that are asked for now.
#pragma once

#include <mlaan/train/settings.h>

#include <optional>
#include <set>
#include <string>

namespace mlaan {

/// Where files lie and how often they are written changes nothing of what comes out.
bool is_free_to_differ(const std::string& key);

/// Whether a run that was asked for with this value writes down another one that it has found out
/// by itself: measured, or taken from the machine.
bool is_settled_by_the_run(const Field& asked);

/// A setting with another value than the one recorded.
struct OtherSetting {
  std::string key;
  OptionValue recorded;
  OptionValue asked;
};

/// The first setting in which the two differ, but for what is free to differ, what the run has
/// settled by itself, and `besides`.
std::optional<OtherSetting> first_difference(const Settings& recorded, const Settings& asked,
                                             const std::set<std::string>& besides = {});

}  // namespace mlaan
