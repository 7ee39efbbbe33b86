// Simulates the steps of a training in stages to predict their time.
#include "train/stage_simulation.h"

#include "local/operations/follow_module.h"

#include <mlaan/core/error.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace mlaan {
namespace {

constexpr int simulated_steps = 24;
constexpr int steps_until_steady = 8;

/// How an operation uses a channel: sends, receives, or receives what a twin follows.
struct Passing {
  enum class Kind { sends, receives, follows } kind;
  StageChannel channel;
};

std::optional<Passing> passing_of(const Operation& operation) {
  using Kind = Passing::Kind;
  const auto* passes = dynamic_cast<const ChannelOperation*>(&operation);
  if (passes == nullptr) return std::nullopt;
  if (passes->sends()) return Passing{Kind::sends, passes->channel()};
  const bool follows = dynamic_cast<const FollowReceived*>(&operation) != nullptr;
  return Passing{follows ? Kind::follows : Kind::receives, passes->channel()};
}

/// The messages of one channel. A message leaves when it has been sent, the receiver has taken the
/// previous one, and the link between the two stages is free.
struct Way {
  std::vector<double> sent;
  std::vector<double> taken;
  std::vector<double> arrived;
  double bytes = 0;
};

class Simulation {
 public:
  Simulation(const std::vector<StageLoad>& loads, const NetworkSpeed& network, std::int64_t delay,
             std::int64_t replicas)
      : loads_(loads), network_(network), delay_(delay), replicas_(replicas) {
    for (const auto& load : loads) {
      stages_.emplace_back();
      std::vector<std::optional<Passing>> passings;
      for (const auto& operation : load.schedule.operations) {
        passings.push_back(passing_of(*operation));
      }
      passings_.push_back(std::move(passings));
    }
  }

  SimulatedSteps run() {
    for (bool moves = true; moves;) {
      moves = false;
      for (std::size_t s = 0; s < stages_.size(); ++s) {
        while (advance(s)) moves = true;
      }
    }
    SimulatedSteps result;
    for (const auto& stage : stages_) {
      if (stage.ends.size() < simulated_steps) throw Error("the stages wait for each other");
      const Moment& begin = stage.ends[steps_until_steady - 1];
      const Moment& end = stage.ends.back();
      const auto per_step = [](double from, double to) {
        return (to - from) / (simulated_steps - steps_until_steady);
      };
      result.step_seconds = std::max(result.step_seconds, per_step(begin.now, end.now));
      result.stages.push_back(
          {per_step(begin.busy, end.busy), 0, per_step(begin.bytes, end.bytes)});
    }
    for (auto& stage : result.stages) {
      stage.waiting_seconds = std::max(0.0, result.step_seconds - stage.busy_seconds);
    }
    return result;
  }

 private:
  /// A stage's clock and sums at some time.
  struct Moment {
    double now = 0;
    double busy = 0;
    double bytes = 0;
  };

  struct Stage : Moment {
    double reduced_until = 0;  ///< time until which the link to the replicas is busy
    std::size_t position = 0;
    std::vector<Moment> ends;             ///< at the end of each step
    std::map<std::size_t, int> followed;  ///< by channel, times that it was due
  };

  /// Arrival time of message `index` of a channel; nothing while that is not determined yet.
  std::optional<double> arrival(Way& way, const StageChannel& channel, std::size_t index) {
    while (way.arrived.size() <= index) {
      const std::size_t next = way.arrived.size();
      if (next >= way.sent.size() || (next > 0 && next - 1 >= way.taken.size())) {
        return std::nullopt;
      }
      double& free = links_[{channel.from, channel.to}];
      double begin = std::max(way.sent[next], free);
      if (next > 0) begin = std::max(begin, way.taken[next - 1]);
      free = begin + way.bytes / network_.bytes_per_second;
      way.arrived.push_back(free + network_.latency_seconds);
    }
    return way.arrived[index];
  }

  /// Executes the stage's next operation. \return false if it must wait for another stage, or at
  /// the end.
  bool advance(std::size_t s) {
    Stage& stage = stages_[s];
    if (stage.ends.size() >= simulated_steps) return false;
    const StageLoad& load = loads_[s];
    const std::size_t i = stage.position;
    const bool is_asked = !load.schedule.late[i] || !stage.ends.empty();
    if (is_asked && passings_[s][i] && !pass(stage, *passings_[s][i], load.bytes[i])) return false;
    if (is_asked) {
      stage.now += load.seconds[i];
      stage.busy += load.seconds[i];
      if (replicas_ > 1 && load.reduced_bytes[i] > 0) reduce(stage, load.reduced_bytes[i]);
    }
    if (++stage.position < load.schedule.operations.size()) return true;
    stage.position = 0;
    stage.now = std::max(stage.now, stage.reduced_until);
    stage.ends.push_back(stage);
    return true;
  }

  void reduce(Stage& stage, double bytes) {
    stage.reduced_until =
        std::max(stage.now, stage.reduced_until) + ring_seconds(bytes, replicas_, network_);
    stage.bytes += ring_bytes(bytes, replicas_);
  }

  bool pass(Stage& stage, const Passing& passing, double bytes) {
    Way& way = ways_[passing.channel.number];
    if (passing.kind == Passing::Kind::sends) return send(stage, way, passing.channel, bytes);
    if (passing.kind == Passing::Kind::follows) {
      int& times = stage.followed[passing.channel.number];
      if (times < delay_) {
        ++times;
        return true;
      }
    }
    const auto arrived = arrival(way, passing.channel, way.taken.size());
    if (!arrived) return false;
    stage.now = std::max(stage.now, *arrived);
    way.taken.push_back(stage.now);
    return true;
  }

  bool send(Stage& stage, Way& way, const StageChannel& channel, double bytes) {
    way.bytes = bytes;
    const std::size_t allowed = channel.most_under_way + 1;
    if (way.sent.size() >= allowed) {
      const auto oldest = arrival(way, channel, way.sent.size() - allowed);
      if (!oldest) return false;
      stage.now = std::max(stage.now, *oldest);
    }
    way.sent.push_back(stage.now);
    stage.bytes += bytes;
    return true;
  }

  const std::vector<StageLoad>& loads_;
  const NetworkSpeed& network_;
  std::int64_t delay_;
  std::int64_t replicas_;
  std::vector<Stage> stages_;
  std::vector<std::vector<std::optional<Passing>>> passings_;
  std::map<std::size_t, Way> ways_;
  std::map<std::pair<std::size_t, std::size_t>, double> links_;
};

/// The order of a stage's passes: forward passes until the stages behind it are filled, then one
/// backward and one forward pass in turn.
/// \return micro-batches counted from 1, negative for backward passes.
std::vector<std::int64_t> passes_of_stage(std::int64_t behind, std::int64_t micro_batches) {
  std::vector<std::int64_t> passes;
  std::int64_t forward = 0;
  std::int64_t backward = 0;
  while (forward < std::min(behind, micro_batches)) passes.push_back(++forward);
  while (backward < micro_batches) {
    if (forward < micro_batches) passes.push_back(++forward);
    passes.push_back(-(++backward));
  }
  return passes;
}

/// Working and waiting time of each stage in a step of the given length, and the bytes that it
/// sends: outputs to the next stage, gradients to the previous one.
SimulatedSteps steps_of_end_to_end(const std::vector<double>& forward,
                                   const std::vector<double>& backward,
                                   const std::vector<double>& boundary_bytes, double step_seconds) {
  const std::size_t stages = forward.size();
  SimulatedSteps result;
  result.step_seconds = step_seconds;
  for (std::size_t s = 0; s < stages; ++s) {
    const double busy = forward[s] + backward[s];
    const double bytes =
        (s + 1 < stages ? boundary_bytes[s] : 0) + (s > 0 ? boundary_bytes[s - 1] : 0);
    result.stages.push_back({busy, step_seconds - busy, bytes});
  }
  return result;
}

}  // namespace

double ring_bytes(double bytes, std::int64_t ranks) {
  return 2 * bytes * static_cast<double>(ranks - 1) / static_cast<double>(ranks);
}

double ring_seconds(double bytes, std::int64_t ranks, const NetworkSpeed& network) {
  return ring_bytes(bytes, ranks) / network.bytes_per_second +
         2 * static_cast<double>(ranks - 1) * network.latency_seconds;
}

SimulatedSteps simulate_stages(const std::vector<StageLoad>& loads, const NetworkSpeed& network,
                               std::int64_t delay, std::int64_t replicas) {
  return Simulation(loads, network, delay, replicas).run();
}

SimulatedSteps simulate_one_forward_one_backward(const std::vector<double>& forward,
                                                 const std::vector<double>& backward,
                                                 const std::vector<double>& boundary_bytes,
                                                 std::int64_t micro_batches,
                                                 const NetworkSpeed& network) {
  const std::size_t stages = forward.size();
  const auto parts = static_cast<double>(micro_batches);
  std::vector<std::vector<std::int64_t>> passes;
  for (std::size_t s = 0; s < stages; ++s) {
    passes.push_back(passes_of_stage(static_cast<std::int64_t>(stages - 1 - s), micro_batches));
  }
  std::vector<std::size_t> done(stages, 0);
  std::vector<double> now(stages, 0);
  std::map<std::pair<std::size_t, std::int64_t>, double> ends;  // end times by stage and pass
  const auto needed = [&](std::size_t s, std::int64_t pass) -> std::optional<double> {
    const bool is_first = pass > 0 ? s == 0 : s + 1 == stages;
    if (is_first) return 0.0;
    const std::size_t from = pass > 0 ? s - 1 : s + 1;
    const auto found = ends.find({from, pass});
    if (found == ends.end()) return std::nullopt;
    return found->second + network.seconds(boundary_bytes[std::min(s, from)] / parts);
  };
  for (bool moves = true; moves;) {
    moves = false;
    for (std::size_t s = 0; s < stages; ++s) {
      if (done[s] == passes[s].size()) continue;
      const std::int64_t pass = passes[s][done[s]];
      const auto begin = needed(s, pass);
      if (!begin) continue;
      now[s] = std::max(now[s], *begin) + (pass > 0 ? forward : backward)[s] / parts;
      ends[{s, pass}] = now[s];
      ++done[s];
      moves = true;
    }
  }
  return steps_of_end_to_end(forward, backward, boundary_bytes,
                             *std::max_element(now.begin(), now.end()));
}

}  // namespace mlaan
