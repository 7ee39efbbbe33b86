// Runs a command as one of several ranks.
#include "cli/rank.h"

#include "cli/error_report.h"
#include "cli/version.h"
#include "dist/launcher.h"

#include <mlaan/core/process.h>
#include <mlaan/core/quantity.h>
#include <mlaan/train/options.h>
#include <mlaan/train/signals.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mlaan::cli {
namespace {

/// Whether a setting may differ between ranks: paths, and resources of the machine.
bool is_of_rank(const std::string& key) {
  static const std::set<std::string> keys{"output", "data", "workers", "threads", "device"};
  return keys.count(key) > 0;
}

/// Whether this error follows from another rank's, which that rank has printed on the same
/// terminal.
bool is_told_beside(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const PeerError& peer) {
    return peer.told_by_peer() && is_launched();
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

void refuse_ranks(const std::string& command) {
  const auto place = read_rank_environment();
  if (!place || place->size == 1) return;
  throw UserError("mlaan " + command + " runs in one process, and " + place->launcher +
                  " has started " + std::to_string(place->size) +
                  "; mlaan train, compare, bench and eval work in several");
}

int run_as_rank(const RankEnvironment& place, double timeout_seconds,
                const std::function<int(ProcessGroup&)>& work) {
  stop_with_launcher();
  std::unique_ptr<ProcessGroup> group;
  int code = exit_failure;
  try {
    group = std::make_unique<ProcessGroup>(place, timeout_seconds);
    code = work(*group);
    group->finish();
    return code;
  } catch (const std::exception&) {
    const auto error = std::current_exception();
    ErrorReport report = explain(error);
    code = report.exit_code;
    const bool tells =
        (!group || group->abandon(report.text, report.exit_code)) && !is_told_beside(error);
    report.text = "rank " + std::to_string(place.rank) + ": " + report.text;
    if (tells) report_error(error, report);
  }
  // Destructors must not run: threads may hang in operations with ranks that have ended.
  std::_Exit(finish_output(code));
}

int processes_asked_for(const Settings& settings) {
  const auto& dist = settings.get<DistOptions>();
  const bool is_open = dist.processes == 1 && settings.origin("dist.processes") == "default";
  return static_cast<int>(is_open ? dist.stages : dist.processes);
}

int run_in_processes(const Settings& settings, const std::function<int(ProcessGroup*)>& work) {
  const auto place = read_rank_environment();
  if (place && place->size > 1) {
    return run_as_rank(*place, parse_duration(settings.get<DistOptions>().timeout),
                       [&](ProcessGroup& group) { return work(&group); });
  }
  const int processes = processes_asked_for(settings);
  return processes > 1 ? launch_ranks(processes) : work(nullptr);
}

Settings settled_in_rank(const Settings& settings, ProcessGroup* group) {
  if (group == nullptr) return settings;
  const Settings settled = with_layout(settings, *group);
  check_started_alike(settled, *group);
  const int processors = processors_of_rank(*group);
  if (settled.get<RunOptions>().threads > 0) return settled;
  return settled.with("threads", std::to_string(processors), "one for each processor");
}

int received_signal(ProcessGroup* group) {
  const int own = StopSignals::received();
  return group == nullptr ? own : static_cast<int>(group->highest(own, "the end of the run"));
}

Settings with_layout(const Settings& settings, const ProcessGroup& group) {
  Settings settled =
      settings.with("dist.processes", std::to_string(group.size()), group.place().launcher);
  if (settings.get<RunOptions>().device != "cuda") return settled;
  return settled.with("device", "cuda:" + std::to_string(group.place().local_rank), "local rank");
}

void check_started_alike(const Settings& settings, ProcessGroup& group) {
  std::vector<Agreed> values{{"the program", version()}};
  for (const auto& field : settings.options().fields()) {
    if (!is_of_rank(field.key)) values.emplace_back(field.key, to_toml(field.value()));
  }
  check_agreement(group, values);
}

int processors_of_rank(ProcessGroup& group) {
  const std::string own = group.host() + " " + processor_set();
  const auto all = group.gather(own, "the division of processors");
  const auto sharing = static_cast<int>(std::count(all.begin(), all.end(), own));
  return std::max(1, available_processors() / sharing);
}

}  // namespace mlaan::cli
