// Chooses what a plan recomputes so that a step fits into a byte limit at little extra time.
#include <mlaan/local/automatic_recompute.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {
namespace {

/// What each module and net recomputes.
struct Assignment {
  std::vector<Recompute> modules;
  std::vector<Recompute> nets;
};

/// Modules or nets of one kind, which all get the same recompute level.
struct Group {
  bool of_nets = false;
  std::vector<std::size_t> members;
  std::vector<std::size_t> near;  ///< the members if they are modules, else the modules they read

  bool touches(std::size_t first, std::size_t last) const {
    return std::any_of(near.begin(), near.end(),
                       [=](std::size_t module) { return first <= module && module <= last; });
  }
};

/// The recompute levels that apply to the group, from the fastest to the slowest.
const std::vector<Recompute>& levels_of(const Group& group) {
  static const std::vector<Recompute> of_modules{Recompute::none, Recompute::activations,
                                                 Recompute::module, Recompute::units};
  static const std::vector<Recompute> of_nets{Recompute::none, Recompute::activations,
                                              Recompute::units};
  return group.of_nets ? of_nets : of_modules;
}

/// A key of the parameters' element counts by unit: equal for modules or nets of one kind.
std::string kind_of(const std::vector<Unit>& units) {
  std::string kind;
  for (const auto& unit : units) {
    kind += "|";
    for (const auto& named : unit.named_parameters()) {
      kind += std::to_string(named.tensor.numel()) + ",";
    }
  }
  return kind;
}

class Search {
 public:
  Search(Trial& trial, const Backbone& backbone, std::int64_t batch, std::int64_t micro_batches)
      : trial_(trial),
        batch_(batch),
        micro_batches_(micro_batches),
        window_(longest_window(trial.plan())) {
    const Plan& plan = trial.plan();
    std::map<std::string, Group> groups;
    for (std::size_t j = 0; j < plan.partition.size(); ++j) {
      Group& group = groups["module" + kind_of(module_units(plan, backbone, j))];
      group.members.push_back(j);
      group.near.push_back(j);
      current_.modules.push_back(recompute_of_module(plan, j));
    }
    const auto all_nets = nets(plan);
    for (std::size_t n = 0; n < all_nets.size(); ++n) {
      Group& group = groups["net" + kind_of(all_nets[n]->units())];
      group.of_nets = true;
      group.members.push_back(n);
      for (const auto& supervision : plan.supervisions) {
        const bool reads =
            supervision.net == all_nets[n] || supervision.net->trunk() == all_nets[n];
        if (reads) group.near.push_back(supervision.last);
      }
      current_.nets.push_back(recompute_of_net(plan, n));
    }
    for (auto& [kind, group] : groups) groups_.push_back(std::move(group));
    measure(current_);
  }

  std::int64_t run(std::int64_t bytes) {
    while (highest_ > bytes && raise()) {
    }
    if (highest_ > bytes) raise_all();
    take_back(std::max(bytes, highest_));
    return highest_;
  }

 private:
  /// Applies the change of one group's level that lowers the peak, and the peaks close to it, the
  /// most. \return false if no change lowers them.
  bool raise() {
    const std::size_t last = std::min(peak_module_ + 1, current_.modules.size() - 1);
    const std::size_t first = peak_module_ + 1 > window_ ? peak_module_ + 1 - window_ : 0;
    const double before = nearness_;
    Assignment best;
    double lowest = before * 0.995;
    const Assignment start = current_;
    for (const auto& group : groups_) {
      if (!group.touches(first, last)) continue;
      for (const auto level : levels_of(group)) {
        if (level == level_of(start, group)) continue;
        const Assignment changed = with(start, group, level);
        measure(changed);
        if (nearness_ >= lowest) continue;
        lowest = nearness_;
        best = changed;
      }
    }
    measure(best.modules.empty() ? start : best);
    return !best.modules.empty();
  }

  /// Recomputes everything if that lowers the peak: several equal peaks may fall only together,
  /// which single changes do not achieve.
  void raise_all() {
    const Assignment start = current_;
    const std::int64_t before = highest_;
    Assignment all = start;
    std::fill(all.modules.begin(), all.modules.end(), Recompute::units);
    std::fill(all.nets.begin(), all.nets.end(), Recompute::units);
    measure(all);
    if (highest_ >= before) measure(start);
  }

  /// Lets every group recompute as little as the bytes allow.
  void take_back(std::int64_t bytes) {
    for (const auto& group : groups_) {
      const Assignment start = current_;
      for (const auto level : levels_of(group)) {
        if (level == level_of(start, group)) break;
        measure(with(start, group, level));
        if (highest_ <= bytes) break;
      }
      if (highest_ > bytes) measure(start);
    }
  }

  static Recompute level_of(const Assignment& assignment, const Group& group) {
    return (group.of_nets ? assignment.nets : assignment.modules).at(group.members.front());
  }

  static Assignment with(Assignment assignment, const Group& group, Recompute level) {
    for (const auto member : group.members) {
      (group.of_nets ? assignment.nets : assignment.modules).at(member) = level;
    }
    return assignment;
  }

  void measure(const Assignment& assignment) {
    trial_.set_recompute(assignment.modules, assignment.nets);
    current_ = assignment;
    highest_ = 0;
    const auto peaks = trial_.peaks(batch_, micro_batches_);
    for (const auto& peak : peaks) {
      if (peak.bytes <= highest_) continue;
      highest_ = peak.bytes;
      peak_module_ = peak.module;
    }
    // A power mean is near the highest peak, but falls too when one of several equal peaks does.
    constexpr double power = 24;
    double sum = 0;
    for (const auto& peak : peaks) {
      sum += std::pow(static_cast<double>(peak.bytes) / static_cast<double>(highest_), power);
    }
    nearness_ = static_cast<double>(highest_) * std::pow(sum, 1 / power);
  }

  Trial& trial_;
  std::int64_t batch_;
  std::int64_t micro_batches_;
  std::size_t window_;
  std::vector<Group> groups_;
  Assignment current_;
  std::int64_t highest_ = 0;
  std::size_t peak_module_ = 0;
  double nearness_ = 0;
};

}  // namespace

std::int64_t reduce_peak(Trial& trial, std::int64_t batch, std::int64_t bytes,
                         std::int64_t micro_batches) {
  return Search(trial, trial.backbone(), batch, micro_batches).run(bytes);
}

}  // namespace mlaan
