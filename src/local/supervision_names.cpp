// The names of a plan's supervisions in logs.
#include <mlaan/local/supervision_names.h>

#include <map>

namespace mlaan {

std::vector<std::string> supervision_names(const Plan& plan) {
  std::vector<std::string> names;
  std::map<std::string, int> uses;
  for (const auto& supervision : plan.supervisions) {
    std::string name = supervision.name + " " + std::to_string(supervision.first + 1) + ".." +
                       std::to_string(supervision.last + 1);
    const int use = ++uses[name];
    if (use > 1) name += " #" + std::to_string(use);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace mlaan
