// The memory that this process can have at most.
#include "measure/machine_memory.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace mlaan::measure {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

std::int64_t physical_and_swap() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return no_limit;
  return static_cast<std::int64_t>((info.totalram + info.totalswap) * info.mem_unit);
}

/// The number in a control group's file; no_limit if the file says "max".
std::int64_t limit_in(const fs::path& path) {
  std::ifstream file(path);
  std::int64_t bytes = 0;
  return file >> bytes ? bytes : no_limit;
}

/// The lowest limit of this process's control group and its ancestors (version 2), or that of the
/// memory controller (version 1).
std::int64_t limit_of_control_group() {
  const fs::path root = "/sys/fs/cgroup";
  std::int64_t limit = limit_in(root / "memory/memory.limit_in_bytes");
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.compare(0, 3, "0::") != 0) continue;
    for (fs::path group = line.substr(3); group.has_relative_path(); group = group.parent_path()) {
      limit = std::min(limit, limit_in(root / group.relative_path() / "memory.max"));
    }
  }
  return std::min(limit, limit_in(root / "memory.max"));
}

}  // namespace

std::int64_t machine_bytes() {
  static const std::int64_t bytes = std::min(physical_and_swap(), limit_of_control_group());
  return bytes;
}

}  // namespace mlaan::measure
