// The JSON description that is exported beside a network's weights.
#include "core/undefined_number.h"
#include "io/json_text.h"

#include <mlaan/core/error.h>
#include <mlaan/train/export_info.h>
#include <mlaan/train/options.h>

#include <nlohmann/json.hpp>

namespace mlaan {
namespace {

using nlohmann::ordered_json;

constexpr const char* format_of_export = "mlaan network 1";

double error_from(const nlohmann::json& json) {
  return json.is_null() ? undefined_number : json.get<double>();
}

ordered_json outputs_to_json(const std::vector<ExportedExit>& exits) {
  ordered_json outputs = ordered_json::array();
  for (const auto& exit : exits) {
    outputs.push_back({{"name", exit.output},
                       {"net", exit.net},
                       {"module", exit.module},
                       {"validation_error", exit.validation_error},  // NaN is written as null
                       {"test_error", exit.test_error}});
  }
  return outputs;
}

std::vector<ExportedExit> outputs_from_json(const nlohmann::json& json) {
  std::vector<ExportedExit> exits;
  for (const auto& output : json) {
    exits.push_back({output.at("name").get<std::string>(), output.at("net").get<std::string>(),
                     output.at("module").get<std::int64_t>(),
                     error_from(output.at("validation_error")),
                     error_from(output.at("test_error"))});
  }
  return exits;
}

void check_consistency(const ExportInfo& info) {
  constexpr std::int64_t largest_side = 1 << 14;
  for (const auto size : info.image_shape) {
    if (size < 1 || size > largest_side) {
      throw UserError("its pictures have a side of " + std::to_string(size) +
                      "; accepted are 1 to " + std::to_string(largest_side));
    }
  }
  const auto channels = info.image_shape.at(0);
  const auto means = static_cast<std::int64_t>(info.normalisation.mean.size());
  if (means != static_cast<std::int64_t>(info.normalisation.deviation.size()) ||
      (means != 0 && means != channels)) {
    throw UserError("it does not have one mean and one deviation for each channel");
  }
  if (info.classes < 1 || info.exits.empty()) throw UserError("it has no classes or no outputs");
}

}  // namespace

std::string ExportInfo::to_json() const {
  ordered_json json;
  json["format"] = format_of_export;
  json["model"] = model;
  json["classes"] = class_names;
  json["image"] = {
      {"channels", image_shape.at(0)}, {"height", image_shape.at(1)}, {"width", image_shape.at(2)}};
  json["normalisation"] = {{"mean", normalisation.mean}, {"deviation", normalisation.deviation}};
  json["share"] = framing_share;
  json["method"] = method;
  json["epochs"] = epochs;
  json["dataset"] = dataset;
  json["dataset_settings"] = dataset_settings;
  json["outputs"] = outputs_to_json(exits);
  json["plan"] = plan;
  return json_text(json, 2) + "\n";
}

ExportInfo ExportInfo::from_json(const std::string& text) {
  ExportInfo info;
  try {
    const nlohmann::json json = parse_json(text);
    if (json.at("format") != format_of_export) {
      throw UserError("it has the format " + json.at("format").dump() + "; this version reads \"" +
                      format_of_export + "\"");
    }
    json.at("model").get_to(info.model);
    json.at("classes").get_to(info.class_names);
    info.classes = static_cast<std::int64_t>(info.class_names.size());
    const auto& image = json.at("image");
    info.image_shape = {image.at("channels").get<std::int64_t>(),
                        image.at("height").get<std::int64_t>(),
                        image.at("width").get<std::int64_t>()};
    json.at("normalisation").at("mean").get_to(info.normalisation.mean);
    json.at("normalisation").at("deviation").get_to(info.normalisation.deviation);
    json.at("share").get_to(info.framing_share);
    json.at("method").get_to(info.method);
    json.at("epochs").get_to(info.epochs);
    json.at("dataset").get_to(info.dataset);
    json.at("dataset_settings").get_to(info.dataset_settings);
    info.exits = outputs_from_json(json.at("outputs"));
    json.at("plan").get_to(info.plan);
  } catch (const nlohmann::json::exception& error) {
    throw UserError(std::string("its description cannot be read: ") + error.what());
  }
  check_consistency(info);
  return info;
}

std::string dataset_assignments(const ExportInfo& info) {
  return "dataset = " + to_toml(info.dataset) + "\n" + info.dataset_settings;
}

std::string dataset_settings(const Settings& settings) {
  const std::string section = settings.get<RunOptions>().dataset + ".";
  std::string text;
  for (const auto& field : settings.options().fields()) {
    if (field.key.rfind(section, 0) != 0 || field.value() == field.initial) continue;
    text += field.key + " = " + to_toml(field.value()) + "\n";
  }
  return text;
}

}  // namespace mlaan
