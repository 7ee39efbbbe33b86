// mlaan info: lists models, methods, data sets, layers, losses and settings, and describes plans.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/version.h"
#include "core/joined.h"

#include <mlaan/core/error.h>
#include <mlaan/core/process.h>
#include <mlaan/core/quantity.h>
#include <mlaan/core/suggest.h>
#include <mlaan/data/dataset.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/local/method.h>
#include <mlaan/log/table.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/loss_kind.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/setup.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>

namespace mlaan::cli {
namespace {

struct InfoFlags {
  explicit InfoFlags(CLI::App& app)
      : config(app, {"dataset", "data", "model", "method", "modules", "partition", "threads"}) {
    app.add_option("topic", topic,
                   "split: what the given settings would train; plan: the same as a plan file, to "
                   "edit and pass to --method [split]")
        ->type_name("{split,plan,config,models,methods,datasets,layers,losses,system}");
  }

  ConfigFlags config;
  std::string topic = "split";
};

/// \param called the field that is printed before an entry's summary.
template <class Entry>
void print_entries(const Registry<Entry>& registry, std::string Entry::*called = &Entry::name) {
  Table table({registry.kind(), ""});
  for (const auto& entry : registry.entries()) table.add({entry.*called, entry.summary});
  std::printf("%s", table.to_string().c_str());
}

void print_system(const Settings& settings) {
  const auto report = prepare_process(static_cast<int>(settings.get<RunOptions>().threads));
  std::printf("  %s\n  threads: %d\n  BLAS: %s\n", version().c_str(), report.threads,
              report.blas.empty() ? "unknown" : report.blas.c_str());
  if (!report.blas_hint.empty()) std::printf("  note: %s\n", report.blas_hint.c_str());
}

std::string names_of(const std::vector<Unit>& units) {
  std::vector<std::string> names;
  for (const auto& unit : units) names.push_back(unit.name());
  return joined(names);
}

/// Four significant digits: "0.999".
std::string short_number(double number) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.4g", number);
  return buffer.data();
}

/// "independent [2..2] × 0.001, cascaded [1..2] × 0.999 in 50 % of steps"; for a trunk, the nets
/// that read it.
std::string supervisions_text(const Plan& plan, const NetCost& net) {
  std::string text;
  if (net.supervisions.empty()) {
    for (const auto& reader : nets(plan)) {
      if (!reader->trunk() || reader->trunk()->name() != net.name) continue;
      text += (text.empty() ? "read by " : ", ") + reader->name();
    }
  }
  for (const auto s : net.supervisions) {
    const auto& supervision = plan.supervisions[s];
    if (!text.empty()) text += ", ";
    text += supervision.name + " [" + std::to_string(supervision.first + 1) + ".." +
            std::to_string(supervision.last + 1) + "] " + supervision.loss->name + " × " +
            short_number(supervision.weight);
    if (supervision.course != WeightCourse::constant) {
      text += " to " + short_number(supervision.final_weight);
    }
    if (supervision.probability < 1) {
      text += " in " + short_number(100 * supervision.probability) + " % of steps";
    }
  }
  return text;
}

std::vector<std::string> cost_cells(const ForwardCost& cost) {
  return {format_count(cost.parameters), format_magnitude(static_cast<double>(cost.multiply_adds)),
          format_bytes(cost.activation_bytes)};
}

void append(std::vector<std::string>& row, const std::vector<std::string>& cells) {
  row.insert(row.end(), cells.begin(), cells.end());
}

void print_split(const std::string& method, const Backbone& backbone, const Plan& plan,
                 const std::string& dataset) {
  const CostReport report = cost_report(backbone, plan);
  std::printf("  %s of %s on %s: %zu units and a head in %zu modules, %zu supervisions\n\n",
              method.c_str(), backbone.name().c_str(), dataset.c_str(), backbone.size(),
              plan.partition.size(), plan.supervisions.size());
  Table modules({"module", "units", "output", "parameters", "multiply-adds", "activations"});
  ForwardCost total;
  const auto add_row = [&](std::vector<std::string> row, const ForwardCost& cost) {
    append(row, cost_cells(cost));
    modules.add(std::move(row));
    total.parameters += cost.parameters;
    total.multiply_adds += cost.multiply_adds;
    total.activation_bytes += cost.activation_bytes;
  };
  for (std::size_t j = 0; j < report.modules.size(); ++j) {
    const auto& module = report.modules[j];
    add_row({std::to_string(j + 1), joined(module.units), to_string(module.output_shape)},
            module.cost);
  }
  add_row({"head", names_of(backbone.head()->units()), std::to_string(backbone.classes())},
          report.head);
  const ForwardCost all = total;
  add_row({"all", "", ""}, all);
  std::printf("%s\n", modules.to_string().c_str());

  Table nets({"net", "layers", "parameters", "multiply-adds", "activations", "supervisions"});
  for (const auto& net : report.nets) {
    std::vector<std::string> row{net.name, joined(net.units, ", ")};
    append(row, cost_cells(net.cost));
    row.push_back(supervisions_text(plan, net));
    nets.add(row);
  }
  std::printf(
      "%s\n  multiply-adds and activations: of one image, forward; activations: what the "
      "backward pass needs\n",
      nets.to_string().c_str());
}

void print_split(const Settings& settings) {
  const auto& method = settings.get<RunOptions>().method;
  const DataSource data = make_data(settings);
  const Backbone backbone = make_backbone(settings, data);
  for (auto& phase : training_phases(settings, method_named(method))) {
    if (!phase.name.empty()) {
      std::printf("  phase %s, %s %% of the training:\n", phase.name.c_str(),
                  short_number(100 * phase.share()).c_str());
    }
    print_split(phase.method.name, backbone, make_plan(phase.settings, backbone, phase.method),
                data.name);
  }
}

void print_plan(const Settings& settings) {
  const DataSource data = make_data(settings);
  const Backbone backbone = make_backbone(settings, data);
  std::vector<PhaseDescription> phases;
  std::map<std::string, std::string> remarks;
  for (auto& phase : training_phases(settings, method_named(settings.get<RunOptions>().method))) {
    const Plan plan = make_bare_plan(phase.settings, backbone, phase.method);
    for (const auto& net : cost_report(backbone, plan).nets) {
      remarks[net.name] = format_count(net.cost.parameters) + " parameters, " +
                          format_magnitude(static_cast<double>(net.cost.multiply_adds)) +
                          " multiply-adds";
    }
    phases.push_back(
        {phase.name, phase.share(), execution_settings(phase), describe(plan, backbone)});
  }
  const auto remark = [&](const NetDescription& net) { return remarks[net.name]; };
  std::printf("%s", plan_text(phases, backbone, remark).c_str());
}

void print_methods() {
  print_entries(method_registry());
  std::string hosts;
  for (const auto& entry : method_registry().entries()) {
    if (entry.host) hosts += (hosts.empty() ? "" : ", ") + entry.name;
  }
  std::printf("\n");
  print_entries(addition_registry());
  std::printf("\n  additions go to a host, HOST+ADDITION+…; hosts: %s\n", hosts.c_str());
}

int run(const InfoFlags& flags) {
  const Settings settings = flags.config.settings();
  if (flags.topic == "split") {
    prepare(settings);
    print_split(settings);
  } else if (flags.topic == "plan") {
    prepare(settings);
    print_plan(settings);
  } else if (flags.topic == "config") {
    std::printf("%s", Config::schema().c_str());
  } else if (flags.topic == "models") {
    print_entries(backbone_registry());
  } else if (flags.topic == "methods") {
    print_methods();
  } else if (flags.topic == "datasets") {
    print_entries(dataset_registry());
  } else if (flags.topic == "layers") {
    print_entries(layer_kinds(), &LayerKind::usage);
  } else if (flags.topic == "losses") {
    print_entries(loss_kinds(), &LossKind::usage);
  } else if (flags.topic == "system") {
    print_system(settings);
  } else {
    throw UserError(unknown_name("topic", flags.topic,
                                 {"split", "plan", "config", "models", "methods", "datasets",
                                  "layers", "losses", "system"}));
  }
  return 0;
}

}  // namespace

Command info_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "info", "print models, methods, data sets, settings, and the split of a network");
  const auto flags = std::make_shared<InfoFlags>(*app);
  return {app, [flags] { return run(*flags); }};
}

}  // namespace mlaan::cli
