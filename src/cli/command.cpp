// Functions and flags that the program's subcommands share.
#include "cli/command.h"

#include "cli/key_flag.h"

#include <mlaan/core/error.h>
#include <mlaan/core/process.h>
#include <mlaan/core/suggest.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/local/method.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <cstdio>
#include <set>
#include <utility>

namespace mlaan::cli {
namespace {

std::vector<std::string> names_of_flags(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

}  // namespace

void check_remaining(const CLI::App& app, const std::vector<std::string>& known,
                     const std::string& kind) {
  const auto remaining = app.remaining();
  if (remaining.empty()) return;
  const std::string first = remaining.front().substr(0, remaining.front().find('='));
  const bool is_flag = first.size() > 1 && first[0] == '-';
  if (is_flag) throw UserError(unknown_name("flag", first, names_of_flags(app)));
  throw UserError(unknown_name(kind, first, known));
}

ConfigFlags::ConfigFlags(CLI::App& app, const std::vector<std::string>& keys,
                         bool flags_of_methods) {
  Config defaults;
  for (const auto& key : keys) {
    add(app, defaults.options().field(key));
  }
  if (flags_of_methods) {
    for (const auto& field : defaults.options().fields()) {
      if (field.has_flag) add(app, field);
    }
  }
  app.add_option("-c,--config", files_, "TOML file of settings; see `mlaan info config`")
      ->type_name("FILE")
      ->group(group::settings);
  app.add_option("--set", assignments_, "set any key of the configuration: --set key=value")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->group(group::settings);
  app.footer("`mlaan info config` describes every setting in full, including those for --set.");
}

void ConfigFlags::add(CLI::App& app, const Field& field) {
  const std::string names = flag_names(field.key);
  const std::string flag = names.substr(names.rfind(',') + 1);
  // A boolean flag needs no value: --tensorboard, --tensorboard=false.
  const bool is_switch = std::holds_alternative<bool>(field.initial);
  auto* option = app.add_option_function<std::string>(
      names,
      [this, key = field.key, flag, is_switch](const std::string& value) {
        given_.push_back({key, is_switch && value.empty() ? "true" : value, flag});
      },
      flag_help(field));
  option->type_name(flag_value(field))->take_last()->group(flag_group(field.key));
  if (is_switch) option->expected(0, 1);
}

void ConfigFlags::apply(Config& config) const {
  if (!texts_) {
    std::vector<std::string> texts;
    for (const auto& file : files_) texts.push_back(read_text(file));
    texts_ = std::move(texts);
  }
  for (std::size_t i = 0; i < files_.size(); ++i) config.apply_text((*texts_)[i], files_[i]);
  for (const auto& assignment : assignments_) config.apply_assignment(assignment);
  for (const auto& given : given_) config.apply(given.key, given.value, given.flag);
  apply_method_settings(config);
}

Settings ConfigFlags::settings() const {
  Config config;
  apply(config);
  return config;
}

Settings ConfigFlags::on_top_of(const Checkpoint& checkpoint) const {
  Config config;
  config.apply_text(checkpoint.info.config, checkpoint.path.string());
  apply(config);
  return config;
}

std::vector<std::string> with_augmentation(std::vector<std::string> keys) {
  for (const char* name :
       {"random_augment", "erase", "mixup", "cutmix", "mix_off_epoch", "label_smoothing"}) {
    keys.push_back(std::string("augment.") + name);
  }
  return keys;
}

std::vector<std::string> with_optimization(std::vector<std::string> keys) {
  for (const char* key :
       {"optimizer.type", "optimizer.momentum", "optimizer.weight_decay", "optimizer.layer_decay",
        "optimizer.clip_grad", "schedule.type", "schedule.warmup_epochs", "schedule.warmup_lr",
        "schedule.min_lr", "schedule.factor", "schedule.patience_epochs", "drop_path",
        "model_ema.enabled", "model_ema.decay"}) {
    keys.emplace_back(key);
  }
  return keys;
}

void prepare(const Settings& settings) {
  const auto report = prepare_process(static_cast<int>(settings.get<RunOptions>().threads));
  if (!report.blas_hint.empty())
    std::fprintf(stderr, "mlaan: note: %s\n", report.blas_hint.c_str());
}

namespace {

std::vector<std::string> keys_of(const MethodEntry& method) {
  OptionSet options;
  method.declare(options);
  return options.keys();
}

}  // namespace

void print_measured_format(const Settings& settings) {
  const std::string text = measured_memory_format(settings);
  if (!text.empty()) std::fprintf(stderr, "%s\n", text.c_str());
}

void warn_of_unused(const Settings& settings, const std::vector<std::string>& methods) {
  std::set<std::string> read;
  std::set<std::string> of_methods;
  for (const auto& entry : method_registry().entries()) {
    for (const auto& key : keys_of(entry)) of_methods.insert(key);
  }
  for (const auto& method : methods) {
    for (const auto& key : keys_of(method_named(method))) read.insert(key);
  }
  for (const auto& key : of_methods) {
    const std::string origin = settings.origin(key);
    const bool by_hand = origin.compare(0, 2, "--") == 0;
    if (by_hand && read.count(key) == 0) {
      std::fprintf(stderr, "mlaan: note: %s (%s) is not used by %s\n", key.c_str(), origin.c_str(),
                   methods.front().c_str());
    }
  }
}

}  // namespace mlaan::cli
