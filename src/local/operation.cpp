// The operations of a training step, each of which states what it reads and what it writes.
#include <mlaan/local/operation.h>

#include <algorithm>
#include <map>

namespace mlaan {

std::string to_string(Activity activity) {
  switch (activity) {
    case Activity::forward:
      return "forward";
    case Activity::supervise:
      return "supervise";
    case Activity::recompute:
      return "recompute";
    case Activity::backward:
      return "backward";
    case Activity::update:
      return "update";
    case Activity::transfer:
      return "transfer";
  }
  return "";
}

std::vector<std::vector<std::size_t>> dependencies(const std::vector<OperationPtr>& operations) {
  struct Users {
    std::optional<std::size_t> last_writer;
    std::vector<std::size_t> readers;  ///< since the last write
  };
  std::map<Resource, Users> users;
  std::vector<std::vector<std::size_t>> result(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Access access = operations[i]->access();
    auto& before = result[i];
    for (const auto& resource : access.reads) {
      const auto& writer = users[resource].last_writer;
      if (writer) before.push_back(*writer);
    }
    for (const auto& resource : access.writes) {
      const Users& known = users[resource];
      if (known.last_writer) before.push_back(*known.last_writer);
      before.insert(before.end(), known.readers.begin(), known.readers.end());
    }
    for (const auto& resource : access.reads) users[resource].readers.push_back(i);
    for (const auto& resource : access.writes) users[resource] = {i, {}};
    std::sort(before.begin(), before.end());
    before.erase(std::unique(before.begin(), before.end()), before.end());
  }
  return result;
}

}  // namespace mlaan
