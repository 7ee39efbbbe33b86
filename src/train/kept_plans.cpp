// A cache of the planner's results on disk, since a search takes minutes.
#include "train/kept_plans.h"

#include "io/json_text.h"
#include "train/plan_json.h"

#include <mlaan/core/process.h>
#include <mlaan/core/random.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/options.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

bool is_of_no_step(const std::string& key) {
  static constexpr std::array<const char*, 7> sections{
      "schedule.", "validation.", "limit.", "save.", "early_stopping.", "log.", "model_ema."};
  for (const char* section : sections) {
    if (key.compare(0, std::string(section).size(), section) == 0) return true;
  }
  for (const char* other : {"epochs", "lr", "seed", "baseline", "output", "workers", "weights"}) {
    if (key == other) return true;
  }
  return false;
}

/// "/home/me/net.pt, 1234 bytes, of time 5678"; "" for a value that names no file.
std::string file_line(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return "";
  return fs::absolute(path).string() + ", " + std::to_string(fs::file_size(path, error)) +
         " bytes, of time " +
         std::to_string(fs::last_write_time(path, error).time_since_epoch().count()) + "\n";
}

/// "Intel(R) Xeon(R) Processor"; "" if the system does not name it.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, 10, "model name") == 0) return line.substr(line.find(':') + 1);
  }
  return "";
}

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && fs::path(cache).is_absolute()) return fs::path(cache) / "mlaan/plans";
  const char* home = std::getenv("HOME");
  if (home == nullptr || !fs::path(home).is_absolute()) return "";
  return fs::path(home) / ".cache/mlaan/plans";
}

fs::path file_of(const std::string& key) {
  const fs::path folder = cache_folder();
  if (folder.empty()) return folder;
  return folder / (std::to_string(random_key(key)) + ".json");
}

}  // namespace

std::string plan_key(const Settings& settings, const std::string& program) {
  std::string key = program + "\n" + processor_name() + "\n";
  for (const auto& field : settings.options().fields()) {
    if (is_of_no_step(field.key)) continue;
    std::string value = to_toml(field.value());
    if (field.key == "threads" && settings.get<RunOptions>().threads == 0) {
      value = std::to_string(available_processors());
    }
    key += field.key + " = " + value + "\n";
  }
  const auto& run = settings.get<RunOptions>();
  return key + file_line(run.model) + file_line(run.method);
}

std::optional<PlanReport> find_kept_plan(const std::string& key) {
  try {
    const fs::path file = file_of(key);
    if (file.empty() || !fs::exists(file)) return std::nullopt;
    const auto document = parse_json(read_text(file));
    if (document.at("key").get<std::string>() != key) return std::nullopt;
    return plan_report_from(document);
  } catch (const std::exception&) {
    return std::nullopt;  // an unreadable file counts as missing
  }
}

void keep_plan(const std::string& key, const PlanReport& report) {
  if (!report.chosen) return;
  nlohmann::ordered_json document = to_json(report);
  document["key"] = key;
  try {
    const fs::path file = file_of(key);
    if (file.empty()) return;
    fs::create_directories(file.parent_path());
    write_text(file, json_text(document, 2) + "\n");
  } catch (const std::exception&) {
    // Without a place for the cache, the plan is searched again the next time.
  }
}

}  // namespace mlaan
