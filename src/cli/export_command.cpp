// mlaan export: writes a trained network for other programs.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/run_folder.h"
#include "core/byte_text.h"

#include <mlaan/core/error.h>
#include <mlaan/log/summary.h>
#include <mlaan/log/table.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_exits.h>
#include <mlaan/train/trained_network.h>

#include <cstdio>
#include <memory>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct ExportFlags {
  explicit ExportFlags(CLI::App& app)
      : config(app, {"data", "model", "batch_size", "device", "workers", "threads"},
               /*flags_of_methods=*/false) {
    app.add_option("run", path, "the folder of a run, or a checkpoint")
        ->required()
        ->type_name("PATH");
    app.add_option("--to", format, "format to write [safetensors]")
        ->type_name("{safetensors,torchscript,onnx,folder}")
        ->group(group::results);
    app.add_option("-o,--output", output,
                   "the file, or the folder, to write; NAME.json is written beside a file "
                   "[RUN/export/network…]")
        ->type_name("PATH")
        ->group(group::results);
    app.add_flag("--exits", exits,
                 "export early exits too, each module's own classifier, with their errors on the "
                 "run's data")
        ->group(group::results);
  }

  ConfigFlags config;
  std::string path;
  std::string format = "safetensors";
  std::string output;
  bool exits = false;
};

const char* extension_of(ExportFormat format) {
  switch (format) {
    case ExportFormat::safetensors:
      return ".safetensors";
    case ExportFormat::torchscript:
      return ".pt";
    case ExportFormat::onnx:
      return ".onnx";
    case ExportFormat::folder:
      break;
  }
  return "";
}

fs::path output_path(const ExportFlags& flags, ExportFormat format, const fs::path& checkpoint) {
  const std::string extension = extension_of(format);
  if (flags.output.empty()) {
    const fs::path run = run_folder_of(checkpoint);
    if (run.empty()) {
      throw UserError(checkpoint.string() +
                      " is not in a run's folder; give the file to write with --output");
    }
    return run / "export" / ("network" + extension);
  }
  const fs::path output = flags.output;
  if (!extension.empty() && output.extension() != extension) {
    throw UserError("--output " + flags.output + ": a file of " + flags.format + " ends with " +
                    extension);
  }
  return output;
}

/// Adds the test error of the run's summary, if that is of these weights, without test-time
/// augmentation, and of all test images.
void add_test_error(const fs::path& run_path, const Settings& settings, ExportInfo& info) {
  if (!fs::is_directory(run_path) || !fs::exists(run_path / "summary.json")) return;
  if (settings.get<ValidationOptions>().tta != "none") return;
  if (settings.get<LimitOptions>().test_batches != 0) return;
  const TrainSummary summary = read_summary(run_path / "summary.json");
  if (!summary.complete) return;
  info.exits.back().test_error =
      settings.get<WeightAverageOptions>().use ? summary.average_test_error : summary.test_error;
}

std::string outputs_table(const ExportInfo& info) {
  Table table({"output", "module", "net", "validation error %", "test error %"});
  for (const auto& exit : info.exits) {
    table.add({exit.output, std::to_string(exit.module), exit.net, fixed(exit.validation_error, 2),
               fixed(exit.test_error, 2)});
  }
  return table.to_string();
}

int run(const ExportFlags& flags) {
  const ExportFormat format = parse_export_format(flags.format);
  const Checkpoint checkpoint = read_checkpoint(reported_checkpoint(flags.path));
  const fs::path output = output_path(flags, format, checkpoint.path);
  const Settings settings = flags.config.on_top_of(checkpoint);
  prepare(settings);
  ExportInfo info;
  const auto make_network = [&] {
    if (!flags.exits) return read_network(checkpoint, settings, info);
    return read_network_with_exits(checkpoint, settings,
                                   with_classes_of(checkpoint, make_data(settings)), info);
  };
  const MultiExitNetwork network = make_network();
  if (!flags.exits) add_test_error(flags.path, settings, info);
  const auto& model = settings.get<RunOptions>().model;
  if (!output.parent_path().empty()) make_writable(output.parent_path());
  export_network(network, info, format, output, is_script_file(model) ? model : "");
  std::printf("%s  all of it in %s\n", outputs_table(info).c_str(),
              printable(output.string()).c_str());
  return 0;
}

}  // namespace

Command export_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "export", "write a trained network for other programs: safetensors, TorchScript, ONNX");
  const auto flags = std::make_shared<ExportFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
