// Comparisons: methods × seeds trained under one budget, as runs that can be stopped and resumed.
#include "core/libtorch_error.h"
#include "train/held_folder.h"
#include "train/joint_training.h"
#include "train/recorded_settings.h"
#include "train/resumed_settings.h"

#include <mlaan/core/error.h>
#include <mlaan/core/random.h>
#include <mlaan/train/comparison.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <ATen/Parallel.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr const char* memory_format_key = "engine.memory_format";
/// File systems limit a name to 255 bytes, and the seed is appended to this one.
constexpr std::size_t longest_spec_name = 160;

/// The last `digits` hexadecimal digits of a number.
std::string hexadecimal(std::uint64_t value, int digits) {
  std::string text;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text += "0123456789ABCDEF"[(value >> static_cast<unsigned>(shift)) & 15U];
  }
  return text;
}

bool is_kept(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
         std::string("._=+-").find(letter) != std::string::npos;
}

fs::path record_of(const fs::path& run_folder) {
  return run_folder / "config.toml";
}

bool was_begun(const fs::path& folder) {
  return fs::exists(record_of(folder)) || fs::exists(folder / "summary.json") ||
         fs::exists(last_checkpoint(folder));
}

std::string name_of(const ComparedRun& run) {
  return run.spec.text + ", seed " + std::to_string(run.seed);
}

/// Refuses settings that make sense for a single run only.
void refuse_settings_of_single_runs(const Settings& settings) {
  const auto& run = settings.get<RunOptions>();
  if (!run.memory.empty()) {
    throw UserError("memory = \"" + run.memory +
                    "\" would choose different modules for each method; a comparison needs it "
                    "empty: put what `mlaan plan` finds into each method's settings");
  }
  if (!run.baseline.empty()) {
    throw UserError("baseline = \"" + run.baseline +
                    "\" is not for comparisons; list it among the methods");
  }
}

/// Sets one memory format for all runs where it is left to be measured: the one that an earlier run
/// has recorded, or one measured now.
void settle_layout(const Settings& comparison, const DataSource& data,
                   const std::vector<ComparedRun>& runs, std::vector<Settings>& asked,
                   const std::function<void(const std::string&)>& progress, ProcessGroup* group) {
  const auto format_of = [](const Settings& settings) {
    return settings.get<ExecutionOptions>().memory_format;
  };
  if (format_of(comparison) != "auto") return;
  Settings settled = comparison;
  for (std::size_t i = 0; i < runs.size() && format_of(settled) == "auto"; ++i) {
    const std::string record = record_of(runs[i].folder).string();
    if (asked[i].origin(memory_format_key) == record) {
      settled = settled.with(memory_format_key, format_of(asked[i]), record);
    }
  }
  settled = settled_by_first(
      settled, group, {memory_format_key},
      [&](const Settings& open) { return with_faster_memory_format(open, data); },
      "measuring which is faster");
  const std::string measured = measured_memory_format(settled);
  if (!measured.empty()) progress(measured);
  for (auto& settings : asked) {
    if (format_of(settings) != "auto") continue;
    settings =
        settings.with(memory_format_key, format_of(settled), settled.origin(memory_format_key));
  }
}

/// Sets one thread count for all runs, since results depend on it bit by bit: the one that earlier
/// runs have recorded, or the present one.
void settle_threads(std::vector<Settings>& asked) {
  std::int64_t threads = at::get_num_threads();
  for (auto& settings : asked) {
    if (settings.get<RunOptions>().threads > 0) threads = settings.get<RunOptions>().threads;
  }
  for (auto& settings : asked) {
    if (settings.get<RunOptions>().threads > 0) continue;
    settings = settings.with("threads", std::to_string(threads), "one for each processor");
  }
  at::set_num_threads(static_cast<int>(threads));
}

TrainSummary train_locked(const ComparedRun& run, const Settings& asked, const DataSource& data,
                          const ComparisonRecords& records,
                          const std::function<bool()>& should_stop, ProcessGroup* group) {
  const Settings settings = measured_by_first(asked, data, method_named(run.spec.method), group);
  Trainer trainer(settings, data, run.folder, group);
  if (fs::exists(last_checkpoint(run.folder))) {
    const Checkpoint checkpoint = read_checkpoint(last_checkpoint(run.folder));
    check_same_split(checkpoint, settings, data);
    trainer.resume(checkpoint);
  }
  std::vector<std::unique_ptr<TrainObserver>> observers;
  if (is_first(group)) observers = records.observers(run.folder);
  for (const auto& observer : observers) trainer.add_observer(*observer);
  TrainSummary summary = trainer.run(should_stop, records.should_save);
  if (is_first(group)) records.write(run.folder, settings, summary);
  return summary;
}

TrainSummary train(const ComparedRun& run, const Settings& asked, const DataSource& data,
                   const ComparisonRecords& records, const std::function<bool()>& should_stop,
                   ProcessGroup* group) {
  try {
    const HeldFolder held(run.folder, group, "the run's folder");
    return train_locked(run, asked, data, records, should_stop, group);
  } catch (const PeerError&) {
    throw;  // about another rank, not about this run
  } catch (const UserError& error) {
    throw UserError(name_of(run) + ": " + error.what());
  } catch (const Error& error) {
    throw Error(name_of(run) + ": " + error.what());
  } catch (const c10::Error& error) {
    throw_explained(error, name_of(run) + ": ");
  }
}

/// \throws UserError if the processes see other runs, or if other ones of them are finished.
void check_same_runs(const std::vector<ComparedRun>& runs,
                     const std::vector<std::optional<TrainSummary>>& results, ProcessGroup* group) {
  if (group == nullptr) return;
  std::vector<Agreed> seen{{"the number of runs", std::to_string(runs.size())}};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    seen.emplace_back("run " + std::to_string(i + 1), name_of(runs[i]));
    seen.emplace_back(name_of(runs[i]), results[i] ? "finished" : "to be trained");
  }
  check_agreement(*group, seen);
}

std::vector<FinishedRun> finished_runs(const std::vector<ComparedRun>& runs,
                                       const std::vector<std::optional<TrainSummary>>& results) {
  std::vector<FinishedRun> finished;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (results[i]) finished.push_back({runs[i], *results[i]});
  }
  return finished;
}

}  // namespace

std::string run_folder_name(const std::string& spec, std::int64_t seed) {
  std::string name;
  for (const char letter : spec) {
    if (is_kept(letter) && !(letter == '.' && name.empty())) {
      name += letter;
    } else if (letter == ':') {
      name += ',';
    } else {
      name += "%" + hexadecimal(static_cast<unsigned char>(letter), 2);
    }
  }
  if (name.size() > longest_spec_name) {
    name = name.substr(0, longest_spec_name) + "~" + hexadecimal(random_key(spec), 16);
  }
  return name + "-seed" + std::to_string(seed);
}

std::vector<ComparedRun> compared_runs(const std::vector<std::string>& specs,
                                       const std::vector<std::int64_t>& seeds,
                                       const fs::path& folder) {
  if (specs.empty()) throw UserError("methods is empty; expected at least one method");
  if (seeds.empty()) throw UserError("seeds is empty; expected at least one whole number");
  std::vector<MethodSpec> parsed;
  for (const auto& text : specs) {
    parsed.push_back(MethodSpec::parse(text));
    for (std::size_t i = 0; i + 1 < parsed.size(); ++i) {
      if (parsed[i].text == parsed.back().text) {
        throw UserError("methods: '" + parsed.back().text + "' is listed twice");
      }
    }
  }
  std::vector<ComparedRun> runs;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (std::count(seeds.begin(), seeds.end(), seeds[i]) > 1) {
      throw UserError("seeds: " + std::to_string(seeds[i]) + " is listed twice");
    }
    for (const auto& spec : parsed) {
      runs.push_back({spec, seeds[i], folder / run_folder_name(spec.text, seeds[i])});
    }
  }
  return runs;
}

std::vector<std::int64_t> parse_seeds(const std::string& list) {
  std::vector<std::int64_t> seeds;
  std::size_t start = 0;
  while (start <= list.size()) {
    const std::size_t comma = std::min(list.find(',', start), list.size());
    const char* const last = list.data() + comma;
    std::int64_t seed = 0;
    const auto result = std::from_chars(list.data() + start, last, seed);
    if (result.ec != std::errc() || result.ptr != last) {
      throw UserError("seeds = " + list + ": '" + list.substr(start, comma - start) +
                      "' is not a seed; expected whole numbers separated by commas, such as 0,1,2");
    }
    seeds.push_back(seed);
    start = comma + 1;
  }
  return seeds;
}

Settings settings_of(const ComparedRun& run, const Settings& comparison) {
  const Settings settings = run.spec.applied_to(comparison)
                                .with({{"method", run.spec.method},
                                       {"seed", std::to_string(run.seed)},
                                       {"output", run.folder.string()}},
                                      "comparison");
  if (run.epochs == 0) return settings;
  return settings.with("epochs", std::to_string(run.epochs), "--budget time");
}

Settings with_recorded_settings(const fs::path& folder, const Settings& asked) {
  if (!was_begun(folder)) return asked;
  if (!fs::exists(record_of(folder))) {
    throw UserError(folder.string() +
                    " holds a run without its config.toml; choose another folder");
  }
  const Settings recorded = read_settings(record_of(folder));
  if (const auto other = first_difference(recorded, asked)) {
    throw UserError(folder.string() + " holds a run with " + other->key + " = " +
                    to_toml(other->recorded) + ", where " + to_toml(other->asked) +
                    " is asked for; ask for the same, or choose another folder");
  }
  std::vector<Assignment> settled;
  for (const auto& field : asked.options().fields()) {
    const OptionValue value = recorded.value(field.key);
    if (!is_settled_by_the_run(field) || value == field.value()) continue;
    settled.emplace_back(field.key, to_toml(value));
  }
  return asked.with(settled, record_of(folder).string());
}

std::vector<FinishedRun> run_comparison(const Settings& settings, const DataSource& data,
                                        const std::vector<ComparedRun>& runs,
                                        const ComparisonRecords& records,
                                        const std::function<bool()>& should_stop,
                                        ProcessGroup* group) {
  refuse_settings_of_single_runs(settings);
  std::vector<std::optional<TrainSummary>> results;
  std::vector<Settings> asked;
  for (const auto& run : runs) {
    asked.push_back(with_recorded_settings(run.folder, settings_of(run, settings)));
    results.push_back(records.read(run.folder));
  }
  check_same_runs(runs, results, group);
  const bool all_finished =
      std::all_of(results.begin(), results.end(), [](const auto& run) { return run.has_value(); });
  if (!all_finished) {
    settle_threads(asked);
    settle_layout(settings, data, runs, asked, records.progress, group);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string line = "run " + std::to_string(i + 1) + " of " + std::to_string(runs.size()) +
                             ": " + name_of(runs[i]);
    if (results[i]) {
      records.progress(line + ", finished before");
      continue;
    }
    if (any_of_all(should_stop && should_stop(), group, "the decision whether to go on")) break;
    records.progress(line);
    TrainSummary summary = train(runs[i], asked[i], data, records, should_stop, group);
    if (!summary.complete) break;
    results[i] = std::move(summary);
    records.finished(finished_runs(runs, results));
  }
  return finished_runs(runs, results);
}

}  // namespace mlaan
