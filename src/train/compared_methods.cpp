// The runs of a comparison summed up per method: errors over seeds, and costs.
#include "core/undefined_number.h"

#include <mlaan/local/cost_report.h>
#include <mlaan/train/compared_methods.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace mlaan {
namespace {

Spread spread(const std::vector<double>& values) {
  std::vector<double> numbers;
  std::copy_if(values.begin(), values.end(), std::back_inserter(numbers),
               [](double value) { return !std::isnan(value); });
  return {mean(numbers), sample_deviation(numbers), confidence_half_width(numbers)};
}

template <class Value>
std::vector<double> all(const std::vector<const FinishedRun*>& runs, Value TrainSummary::*member) {
  std::vector<double> values;
  for (const auto* run : runs) values.push_back(static_cast<double>(run->summary.*member));
  return values;
}

/// Tests one of the errors over the seeds that both methods have.
PairedTest paired(const std::vector<const FinishedRun*>& first,
                  const std::vector<const FinishedRun*>& second, double TrainSummary::*error) {
  std::vector<double> left;
  std::vector<double> right;
  for (const auto* run : second) {
    for (const auto* other : first) {
      if (other->run.seed != run->run.seed) continue;
      left.push_back(other->summary.*error);
      right.push_back(run->summary.*error);
    }
  }
  return paired_test(left, right);
}

double ratio(double value, double reference) {
  return reference > 0 ? value / reference : undefined_number;
}

std::vector<const FinishedRun*> runs_of(const MethodSpec& spec,
                                        const std::vector<FinishedRun>& finished) {
  std::vector<const FinishedRun*> runs;
  for (const auto& run : finished) {
    if (run.run.spec.text == spec.text) runs.push_back(&run);
  }
  return runs;
}

ComparedMethod together(const MethodSpec& spec, const std::vector<const FinishedRun*>& runs,
                        const ForwardWork& work) {
  const RunReport& report = runs.front()->summary.run;
  ComparedMethod method;
  method.spec = spec;
  method.modules = report.modules;
  method.window = report.window;
  method.epochs = report.epochs;
  method.parameters = report.parameters;
  method.auxiliary_parameters = report.auxiliary_parameters;
  method.work = work;
  method.validation_error = spread(all(runs, &TrainSummary::validation_error));
  method.test_error = spread(all(runs, &TrainSummary::test_error));
  method.average_validation_error = spread(all(runs, &TrainSummary::average_validation_error));
  method.average_test_error = spread(all(runs, &TrainSummary::average_test_error));
  method.images_per_second = mean(all(runs, &TrainSummary::images_per_second));
  method.seconds = mean(all(runs, &TrainSummary::seconds));
  for (const auto* run : runs) {
    method.seeds.push_back(run->run.seed);
    method.peak_bytes = std::max(method.peak_bytes, run->summary.peak_bytes);
  }
  return method;
}

void set_ratios(ComparedMethod& method, const ComparedMethod& first) {
  const auto parameters = [](const ComparedMethod& of) {
    return static_cast<double>(of.parameters + of.auxiliary_parameters);
  };
  const auto work = [](const ComparedMethod& of) {
    return static_cast<double>(of.work.backbone) + of.work.nets;
  };
  method.parameter_ratio = ratio(parameters(method), parameters(first));
  method.work_ratio = ratio(work(method), work(first));
  method.peak_ratio =
      ratio(static_cast<double>(method.peak_bytes), static_cast<double>(first.peak_bytes));
  method.speed_ratio = ratio(method.images_per_second, first.images_per_second);
  method.time_ratio = ratio(method.seconds, first.seconds);
}

}  // namespace

ForwardWork forward_work(const Settings& settings, const DataSource& data) {
  const Backbone backbone = make_backbone(settings, data);
  ForwardWork work;
  for (auto& phase : training_phases(settings, method_named(settings.get<RunOptions>().method))) {
    const Plan plan = make_bare_plan(phase.settings, backbone, phase.method);
    check(plan, backbone);
    const CostReport report = cost_report(backbone, plan);
    work.backbone = report.head.multiply_adds;
    for (const auto& module : report.modules) work.backbone += module.cost.multiply_adds;
    for (const auto& net : report.nets) {
      if (net.name == "head") continue;  // counted with the backbone
      work.nets += phase.share() * net.runs * static_cast<double>(net.cost.multiply_adds);
    }
  }
  return work;
}

std::vector<MethodSpec> specs_of(const std::vector<ComparedRun>& runs) {
  std::vector<MethodSpec> specs;
  for (const auto& run : runs) {
    if (std::none_of(specs.begin(), specs.end(),
                     [&](const MethodSpec& spec) { return spec.text == run.spec.text; })) {
      specs.push_back(run.spec);
    }
  }
  return specs;
}

std::vector<ComparedMethod> compare_methods(const std::vector<ComparedRun>& runs,
                                            const std::vector<FinishedRun>& finished,
                                            const std::vector<ForwardWork>& work) {
  const auto specs = specs_of(runs);
  const auto first_runs = runs_of(specs.at(0), finished);
  std::vector<ComparedMethod> methods;
  for (std::size_t s = 0; s < specs.size(); ++s) {
    const auto own = runs_of(specs[s], finished);
    if (own.empty()) continue;
    ComparedMethod method = together(specs[s], own, work.at(s));
    if (s > 0) {
      method.validation_difference = paired(first_runs, own, &TrainSummary::validation_error);
      method.test_difference = paired(first_runs, own, &TrainSummary::test_error);
      method.average_test_difference = paired(first_runs, own, &TrainSummary::average_test_error);
    }
    methods.push_back(std::move(method));
  }
  const bool has_first = !first_runs.empty();
  const ComparedMethod first = has_first ? methods.front() : ComparedMethod();
  for (auto& method : methods) set_ratios(method, first);
  return methods;
}

void set_step_costs(std::vector<ComparedMethod>& methods, const std::vector<StepCost>& costs) {
  if (methods.empty()) return;
  const StepCost& first = cost_of(methods.front().spec.text, costs);
  for (auto& method : methods) {
    const StepCost& cost = cost_of(method.spec.text, costs);
    method.step_time_ratio = cost.time_ratio / first.time_ratio;
    method.step_peak_ratio =
        static_cast<double>(cost.peak_bytes) / static_cast<double>(first.peak_bytes);
  }
}

}  // namespace mlaan
