// Binds plans: from a method's name, or from the user's own supervisions.
#include "bindings.h"
#include "method_plan.h"
#include "python_layer.h"
#include "python_loss.h"

#include <mlaan/core/random.h>
#include <mlaan/local/plan.h>
#include <mlaan/local/plan_description.h>
#include <mlaan/local/recompute.h>
#include <mlaan/local/supervision_names.h>
#include <mlaan/nn/layer_text.h>

#include <pybind11/stl.h>

#include <algorithm>
#include <map>
#include <set>

namespace mlaan::python {
namespace {

/// A net, and the averages that update its twins.
struct BoundNet {
  std::shared_ptr<AuxiliaryNet> net;
  std::vector<ParameterAverage> averages;
};

/// \param layers a list of layer texts, or a Python unit.
BoundNet make_net(const std::string& name, const py::object& layers, const Backbone& backbone,
                  std::size_t unit, std::uint64_t seed) {
  if (!py::isinstance<py::list>(layers)) {
    return {std::make_shared<AuxiliaryNet>(name, std::vector<Unit>{make_unit(layers)}), {}};
  }
  const DefaultGeneratorGuard guard(torch::kCPU);
  seed_default_generator(torch::kCPU, random_key({seed, random_key(name)}));
  const auto texts = layers.cast<LayerTexts>();
  BuiltLayers built = build_layers(texts, backbone.output_shape(unit), backbone);
  return {std::make_shared<AuxiliaryNet>(name, std::move(built.units), nullptr, texts),
          std::move(built.averages)};
}

/// \param net null for the backbone's head.
Supervision make_supervision(const std::string& name, std::size_t first, std::size_t last,
                             const BoundNet* net, const py::object& loss, double weight,
                             double probability, const std::string& course, double final_weight,
                             const Backbone& backbone) {
  Supervision supervision;
  supervision.name = name;
  supervision.first = first;
  supervision.last = last;
  supervision.net = net == nullptr ? backbone.head() : net->net;
  supervision.loss = make_loss(loss, backbone);
  supervision.weight = weight;
  supervision.probability = probability;
  supervision.course = parse_weight_course(course);
  supervision.final_weight = final_weight;
  return supervision;
}

/// Makes supervisions with the same Python loss share one Loss, since losses are compared by
/// identity.
void share_losses(std::vector<Supervision>& supervisions, const std::vector<py::object>& given) {
  std::map<const void*, LossPtr> made;
  for (std::size_t i = 0; i < supervisions.size() && i < given.size(); ++i) {
    supervisions[i].loss = made.emplace(given[i].ptr(), supervisions[i].loss).first->second;
  }
}

Plan make_own_plan(const Backbone& backbone, const Partition& partition,
                   std::vector<Supervision> supervisions, const std::vector<py::object>& losses,
                   const std::vector<BoundNet>& nets) {
  share_losses(supervisions, losses);
  Plan plan{partition, std::move(supervisions), {}, {}, {}};
  for (const auto& net : nets) {
    plan.averages.insert(plan.averages.end(), net.averages.begin(), net.averages.end());
  }
  check(plan, backbone);
  return plan;
}

Plan make_method_plan(const Backbone& backbone, const std::string& method, const Settings& settings,
                      const PartitionChoice& partition, std::size_t modules, std::uint64_t seed,
                      std::size_t phase) {
  return make_plan(backbone, {method, settings, partition, modules, seed, phase});
}

/// Drops the averages of twins in nets that the plan no longer has.
void drop_averages_of_others(Plan& plan) {
  std::set<const void*> tensors;
  for (const auto& net : nets(plan)) {
    for (const auto& named : net->named_parameters()) {
      tensors.insert(named.tensor.unsafeGetTensorImpl());
    }
  }
  const auto is_gone = [&tensors](const ParameterAverage& average) {
    return std::none_of(average.average.begin(), average.average.end(), [&](const auto& tensor) {
      return tensors.count(tensor.unsafeGetTensorImpl()) > 0;
    });
  };
  plan.averages.erase(std::remove_if(plan.averages.begin(), plan.averages.end(), is_gone),
                      plan.averages.end());
}

/// Replaces nets that a method has made. \param make is called with the net's name and the last
/// unit of the module that it reads; returns a net, or None to keep the method's.
void replace_nets(Plan& plan, const Backbone& backbone, const py::object& make) {
  std::map<const AuxiliaryNet*, std::shared_ptr<AuxiliaryNet>> replaced;
  for (auto& supervision : plan.supervisions) {
    if (supervision.net == backbone.head()) continue;
    auto [found, is_new] = replaced.try_emplace(supervision.net.get(), supervision.net);
    if (is_new) {
      const py::object net =
          make(supervision.net->name(), plan.partition.last_unit(supervision.last));
      if (!net.is_none()) found->second = net.cast<BoundNet>().net;
    }
    supervision.net = found->second;
  }
  drop_averages_of_others(plan);
  plan.net_learning_rates.clear();
}

/// Converts nets to the dtype of the network.
void adopt_type(const Plan& plan, const Backbone& backbone) {
  const auto parameters = backbone.named_parameters();
  if (parameters.empty()) return;
  const auto dtype = parameters.front().tensor.scalar_type();
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(dtype);
  }
}

torch::Tensor run_in_evaluation(const AuxiliaryNet& net, torch::Tensor input) {
  if (net.trunk() != nullptr) input = run_in_evaluation(*net.trunk(), std::move(input));
  net.train(false);
  torch::Tensor output = net.forward(std::move(input));
  net.train(true);
  return output;
}

/// The shape of the output of a supervision's net for a batch of two zero samples.
/// \throws UserError if the supervision's loss cannot read it.
Shape probe(const Plan& plan, const Backbone& backbone, std::size_t supervision) {
  const torch::NoGradGuard no_grad;
  const Supervision& probed = plan.supervisions.at(supervision);
  Shape shape = backbone.output_shape(plan.partition.last_unit(probed.last));
  shape.insert(shape.begin(), 2);
  const auto parameters = backbone.named_parameters();
  const auto options =
      parameters.empty() ? torch::TensorOptions() : parameters.front().tensor.options();
  const Shape output = run_in_evaluation(*probed.net, torch::zeros(shape, options)).sizes().vec();
  if (!output.empty() && output[0] == 2) {
    const Shape of_sample(output.begin() + 1, output.end());
    check_reads(*probed.loss, of_sample, backbone.classes(), backbone.input_shape(0));
  }
  return output;
}

/// Replaces every cross-entropy by a loss.
void replace_cross_entropy(Plan& plan, const Backbone& backbone, const py::object& loss) {
  const LossPtr own = make_loss(loss, backbone);
  for (auto& supervision : plan.supervisions) {
    if (supervision.loss->label_smoothing) supervision.loss = own;
  }
}

void set_net_learning_rates(Plan& plan, const std::map<std::string, double>& factors) {
  const auto all = nets(plan);
  plan.net_learning_rates.resize(all.size(), 1);
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto found = factors.find(all[n]->name());
    if (found != factors.end()) plan.net_learning_rates[n] = found->second;
  }
}

void recompute(Plan& plan, const std::string& text) {
  set_recompute(plan, text == "default" ? default_recompute(plan) : parse_recompute(text));
}

py::list describe_supervisions(const Plan& plan, const Backbone& backbone) {
  py::list list;
  for (const auto& supervision : plan.supervisions) {
    py::dict item;
    item["name"] = supervision.name;
    item["first"] = supervision.first;
    item["last"] = supervision.last;
    item["net"] = supervision.net == backbone.head() ? head_name : supervision.net->name();
    item["loss"] = supervision.loss->name;
    item["weight"] = supervision.weight;
    list.append(std::move(item));
  }
  return list;
}

std::vector<std::string> net_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const auto& net : nets(plan)) names.push_back(net->name().empty() ? "head" : net->name());
  return names;
}

void bind_methods(py::module_& module) {
  module.def("method_plan", &make_method_plan);
  module.def("partition",
             [](const Backbone& backbone, const PartitionChoice& partition, std::size_t modules) {
               return make_partition(backbone, partition, modules);
             });
  module.def("methods", [] {
    std::vector<std::pair<std::string, std::string>> list;
    for (const auto& entry : method_registry().entries())
      list.emplace_back(entry.name, entry.summary);
    return list;
  });
  module.def("phases", [](const std::string& method, const Settings& settings) {
    std::vector<std::pair<std::string, double>> list;
    for (const auto& phase : phases_of(method, settings))
      list.emplace_back(phase.name, phase.share);
    return list;
  });
  module.def("settings", [](const std::string& method) {
    py::list list;
    for (const auto& setting : settings_of(method)) {
      list.append(py::make_tuple(setting.key, setting.initial, setting.accepted, setting.help));
    }
    return list;
  });
}

}  // namespace

void bind_plan(py::module_& module) {
  py::class_<Partition>(module, "Partition")
      .def(py::init<std::vector<std::size_t>>())
      .def_property_readonly("last_units", &Partition::last_units)
      .def_static("uniform", &Partition::uniform)
      .def("__len__", &Partition::size);
  py::class_<BoundNet>(module, "Net").def(py::init(&make_net));
  py::class_<Supervision>(module, "Supervision").def(py::init(&make_supervision));
  py::class_<Plan>(module, "Plan")
      .def(py::init(&make_own_plan))
      .def_readonly("partition", &Plan::partition)
      .def("replace_nets", &replace_nets)
      .def("adopt_type", &adopt_type)
      .def("probe", &probe)
      .def_property_readonly("takes_any_labels",
                             [](const Plan& plan) { return takes_any_labels(plan); })
      .def("replace_cross_entropy", &replace_cross_entropy)
      .def("smooth_labels", [](Plan& plan, double smoothing) { smooth_labels(plan, smoothing); })
      .def("scale_net_learning_rates",
           [](Plan& plan, const Backbone& backbone, double factor) {
             scale_net_learning_rates(plan, backbone, factor);
           })
      .def("set_net_learning_rates", &set_net_learning_rates)
      .def("set_recompute", &recompute)
      .def("supervisions", &describe_supervisions)
      .def_property_readonly("supervision_names",
                             [](const Plan& plan) { return supervision_names(plan); })
      .def_property_readonly("net_names", &net_names);
  bind_methods(module);
}

}  // namespace mlaan::python
