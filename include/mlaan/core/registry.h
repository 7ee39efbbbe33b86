// A list of entries - methods, backbones, data sets - that are looked up by name.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/core/suggest.h>

#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// \tparam Entry any type with a member `name`.
template <class Entry>
class Registry {
 public:
  /// \param kind what an entry is, for messages: "method".
  Registry(std::string kind, std::vector<Entry> entries)
      : kind_(std::move(kind)), entries_(std::move(entries)) {}

  /// \throws UserError for an unknown name, naming the nearest known one.
  const Entry& at(const std::string& name) const {
    for (const auto& entry : entries_) {
      if (entry.name == name) return entry;
    }
    throw UserError(unknown_name(kind_, name, names()));
  }

  /// What an entry is: "method".
  const std::string& kind() const { return kind_; }
  const std::vector<Entry>& entries() const { return entries_; }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    names.reserve(entries_.size());
    for (const auto& entry : entries_) names.push_back(entry.name);
    return names;
  }

 private:
  std::string kind_;
  std::vector<Entry> entries_;
};

}  // namespace mlaan
