// The layout of a training in several processes, in words.
#include "log/layout_text.h"

#include <cstddef>
#include <cstdint>

namespace mlaan {
namespace {

std::string stages_line(const RunReport& report) {
  const auto& first = report.first_modules;
  std::string line = std::to_string(first.size()) + " stages, of the modules ";
  for (std::size_t s = 0; s < first.size(); ++s) {
    const std::int64_t last = s + 1 < first.size() ? first[s + 1] - 1 : report.modules;
    line += (s == 0                 ? ""
             : s + 1 < first.size() ? ", "
                                    : " and ") +
            std::to_string(first[s]) + " to " + std::to_string(last);
  }
  return line;
}

}  // namespace

std::string layout_text(const RunReport& report) {
  if (!report.first_modules.empty()) return stages_line(report);
  if (report.processes <= 1) return "";
  return std::to_string(report.processes) + " processes with " +
         std::to_string(report.batch / report.processes) +
         " images each: " + std::to_string(report.batch) + " images a step";
}

}  // namespace mlaan
