// The analysis of a trained network as a table and as JSON.
#include "io/json_text.h"

#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/analysis_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mlaan {
namespace {

using nlohmann::ordered_json;

const char* name_of(HsicEstimator estimator) {
  return estimator == HsicEstimator::unbiased ? "unbiased" : "biased";
}

std::vector<std::string> cost_cells(const ForwardCost& cost) {
  return {format_count(cost.parameters), format_magnitude(static_cast<double>(cost.multiply_adds)),
          format_bytes(cost.activation_bytes)};
}

Table modules_table(const NetworkAnalysis& analysis) {
  const bool with_test = analysis.test_images > 0;
  Table table([&] {
    std::vector<std::string> header{"module",   "last unit",        "output",
                                    "features", "training error %", "validation error %"};
    if (with_test) header.emplace_back("test error %");
    header.insert(header.end(), {"net parameters", "multiply-adds", "activations"});
    return header;
  }());
  const auto add = [&](std::vector<std::string> row, const SplitErrors& errors,
                       const std::vector<std::string>& cells) {
    row.insert(row.end(), {fixed(errors.train, 2), fixed(errors.validation, 2)});
    if (with_test) row.push_back(fixed(errors.test, 2));
    row.insert(row.end(), cells.begin(), cells.end());
    table.add(std::move(row));
  };
  for (std::size_t j = 0; j < analysis.modules.size(); ++j) {
    const auto& module = analysis.modules[j];
    add({std::to_string(j + 1), module.last_unit, to_string(module.output_shape),
         std::to_string(module.features)},
        module.probe, cost_cells(module.nets));
  }
  add({"head", "", "", ""}, analysis.head, {"", "", ""});
  return table;
}

std::string costs_line(const NetworkAnalysis& analysis) {
  const auto& nets = analysis.nets;
  const auto& backbone = analysis.backbone;
  const auto times = [](std::int64_t net, std::int64_t own) {
    return own > 0 ? fixed(static_cast<double>(net) / static_cast<double>(own), 2) : "-";
  };
  return "  auxiliary nets: " + format_count(nets.parameters) + " parameters (" +
         times(nets.parameters, backbone.parameters) + " of the backbone's), " +
         format_magnitude(static_cast<double>(nets.multiply_adds)) + " multiply-adds (" +
         times(nets.multiply_adds, backbone.multiply_adds) + "), " +
         format_bytes(nets.activation_bytes) + " of activations (" +
         times(nets.activation_bytes, backbone.activation_bytes) + "), of one image, forward\n";
}

std::string similarity_text(const SimilarityAnalysis& similarity) {
  Table table({"unit", "CKA", "most like", "CKA"});
  double sum = 0;
  for (std::size_t i = 0; i < similarity.units.size(); ++i) {
    const auto& row = similarity.matrix[i];
    const auto highest = std::max_element(row.begin(), row.end());
    table.add({similarity.units[i], fixed(row[i], 3),
               similarity.units[static_cast<std::size_t>(highest - row.begin())],
               fixed(*highest, 3)});
    sum += row[i];
  }
  return "\n" + table.to_string() + "\n  CKA: linear, " + name_of(similarity.estimator) +
         " estimate on " + format_count(similarity.images) +
         " test images: between a unit's output and that of the same unit, or of the most similar "
         "one,\n"
         "  of " +
         similarity.against + "; mean " +
         fixed(sum / static_cast<double>(similarity.units.size()), 3) + "\n";
}

ordered_json to_json(const SplitErrors& errors) {
  return {{"train_error", errors.train},
          {"validation_error", errors.validation},
          {"test_error", errors.test}};
}

ordered_json to_json(const ForwardCost& cost) {
  return {{"parameters", cost.parameters},
          {"multiply_adds", cost.multiply_adds},
          {"activation_bytes", cost.activation_bytes}};
}

ordered_json to_json(const SimilarityAnalysis& similarity) {
  ordered_json json;
  json["against"] = similarity.against;
  json["measure"] = "linear CKA";
  json["estimator"] = name_of(similarity.estimator);
  json["images"] = similarity.images;
  json["units"] = similarity.units;
  json["diagonal"] = ordered_json::array();
  for (std::size_t i = 0; i < similarity.matrix.size(); ++i) {
    json["diagonal"].push_back(similarity.matrix[i][i]);
  }
  json["matrix"] = similarity.matrix;
  return json;
}

}  // namespace

std::string analysis_table(const NetworkAnalysis& analysis) {
  std::string text =
      "  " + analysis.model + " trained by " + analysis.method + " on " + analysis.dataset + ": " +
      analysis.checkpoint + "\n\n" + modules_table(analysis).to_string() + "\n" +
      "  errors: of a linear classifier of the module's output, pooled, trained on " +
      format_count(analysis.train_images) + " images; head: of the network's own\n" +
      costs_line(analysis);
  if (analysis.similarity) text += similarity_text(*analysis.similarity);
  return text;
}

void write_analysis(const std::filesystem::path& path, const NetworkAnalysis& analysis) {
  ordered_json document;
  document["checkpoint"] = analysis.checkpoint;
  document["method"] = analysis.method;
  document["model"] = analysis.model;
  document["dataset"] = analysis.dataset;
  document["train_images"] = analysis.train_images;
  document["validation_images"] = analysis.validation_images;
  document["test_images"] = analysis.test_images;
  document["modules"] = ordered_json::array();
  for (std::size_t j = 0; j < analysis.modules.size(); ++j) {
    const auto& module = analysis.modules[j];
    ordered_json json;
    json["module"] = j + 1;
    json["last_unit"] = module.last_unit;
    json["output_shape"] = module.output_shape;
    json["features"] = module.features;
    json["probe"] = to_json(module.probe);
    json["nets"] = to_json(module.nets);
    document["modules"].push_back(std::move(json));
  }
  document["head"] = to_json(analysis.head);
  document["backbone"] = to_json(analysis.backbone);
  document["nets"] = to_json(analysis.nets);
  if (analysis.similarity) document["similarity"] = to_json(*analysis.similarity);
  write_text(path, json_text(document, 2) + "\n");
}

}  // namespace mlaan
