// A supervision plan: all that distinguishes one training method from another, as data.
#include <mlaan/core/suggest.h>
#include <mlaan/local/plan.h>

#include <c10/util/MathConstants.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

namespace mlaan {
namespace {

constexpr std::array weight_courses{std::pair{"constant", WeightCourse::constant},
                                    std::pair{"linear", WeightCourse::linear},
                                    std::pair{"cosine", WeightCourse::cosine}};

std::string describe(const Supervision& supervision) {
  return "supervision '" + supervision.name + "' of modules " +
         std::to_string(supervision.first + 1) + " to " + std::to_string(supervision.last + 1);
}

void check(const Supervision& supervision, std::size_t modules,
           const std::shared_ptr<AuxiliaryNet>& head) {
  if (supervision.first > supervision.last || supervision.last >= modules) {
    throw UserError(describe(supervision) + ": a window must lie within modules 1 to " +
                    std::to_string(modules) + " and not end before it begins");
  }
  for (const double weight : {supervision.weight, weight_at(supervision, 1)}) {
    if (std::isfinite(weight) && weight >= 0) continue;
    throw UserError(describe(supervision) + " has the weight " + std::to_string(weight) +
                    "; a weight must be a number of at least 0");
  }
  if (!(supervision.probability > 0 && supervision.probability <= 1)) {
    throw UserError(describe(supervision) + " has the probability " +
                    std::to_string(supervision.probability) +
                    "; a probability must be above 0 and at most 1");
  }
  if (supervision.net == head && supervision.probability < 1) {
    throw UserError(describe(supervision) +
                    " has the backbone's own head for its net, which is evaluated in every step");
  }
  if (!supervision.net) throw UserError(describe(supervision) + " has no auxiliary net");
  if (supervision.net == head && supervision.last + 1 != modules) {
    throw UserError(describe(supervision) +
                    " has the backbone's own head for its net, which reads the last module only");
  }
  if (!supervision.loss || !supervision.loss->function) {
    throw UserError(describe(supervision) + " has no loss");
  }
}

/// Appends `list` of every net, except the backbone's own head, to `all`, that of the backbone.
template <class List>
std::vector<NamedTensor> with_nets(std::vector<NamedTensor> all, const Backbone& backbone,
                                   const Plan& plan, const List& list) {
  for (const auto& net : nets(plan)) {
    if (net == backbone.head()) continue;
    for (auto& named : list(*net)) all.push_back(std::move(named));
  }
  return all;
}

/// A trunk and all nets that read it are drawn or skipped together.
void check_trunk_probabilities(const Plan& plan) {
  std::map<std::pair<const AuxiliaryNet*, std::size_t>, const Supervision*> first_reader;
  for (const auto& supervision : plan.supervisions) {
    const auto* trunk = supervision.net->trunk().get();
    if (trunk == nullptr) continue;
    const auto [found, is_new] = first_reader.try_emplace({trunk, supervision.last}, &supervision);
    if (found->second->probability == supervision.probability) continue;
    throw UserError(describe(supervision) + " has the probability " +
                    std::to_string(supervision.probability) + ", but " + describe(*found->second) +
                    ", whose net reads '" + trunk->name() + "' too, has " +
                    std::to_string(found->second->probability) + "; they must be equal");
  }
}

void check_learning_rates(const Plan& plan, std::size_t net_count) {
  if (!plan.net_learning_rates.empty() && plan.net_learning_rates.size() != net_count) {
    throw UserError("the plan has " + std::to_string(plan.net_learning_rates.size()) +
                    " factors on learning rates of nets, but it has " + std::to_string(net_count) +
                    " nets");
  }
  for (const double factor : plan.net_learning_rates) {
    if (std::isfinite(factor) && factor > 0) continue;
    throw UserError("a net has the factor " + std::to_string(factor) +
                    " on its learning rate; a factor must be a number above 0");
  }
}

/// The head gives the step's logits, so it is evaluated in every step.
void check_head_weight(const Plan& plan, const Backbone& backbone) {
  for (const double progress : {0.0, 1.0}) {
    double sum = 0;
    bool changes = false;
    for (const auto& supervision : plan.supervisions) {
      if (supervision.net != backbone.head()) continue;
      sum += weight_at(supervision, progress);
      changes = changes || supervision.course != WeightCourse::constant;
    }
    if (changes && sum == 0) {
      throw UserError("the weights of the backbone's own head are all 0 at the " +
                      std::string(progress == 0 ? "beginning" : "end") +
                      " of their course; at least one must stay above 0");
    }
  }
}

bool has_trainable_parameters(const std::vector<Unit>& units) {
  return std::any_of(units.begin(), units.end(), [](const Unit& unit) {
    const auto parameters = unit.named_parameters();
    return std::any_of(parameters.begin(), parameters.end(), [](const NamedTensor& parameter) {
      return parameter.tensor.requires_grad();
    });
  });
}

}  // namespace

std::string to_string(WeightCourse course) {
  return std::find_if(weight_courses.begin(), weight_courses.end(),
                      [&](const auto& known) { return known.second == course; })
      ->first;
}

WeightCourse parse_weight_course(const std::string& text) {
  std::vector<std::string> names;
  for (const auto& [name, course] : weight_courses) {
    if (text == name) return course;
    names.emplace_back(name);
  }
  throw UserError(unknown_name("course of a weight", text, names));
}

double weight_at(const Supervision& supervision, double progress) {
  if (supervision.course == WeightCourse::constant) return supervision.weight;
  const double share = supervision.course == WeightCourse::linear
                           ? progress
                           : 0.5 * (1 - std::cos(c10::pi<double> * progress));
  return (1 - share) * supervision.weight + share * supervision.final_weight;
}

double highest_weight(const Supervision& supervision) {
  return std::max(supervision.weight, weight_at(supervision, 1));
}

namespace {

/// Checks that lists with one entry for each module or net have that many entries.
void check_lengths(const Plan& plan, const Backbone& backbone) {
  const std::size_t modules = plan.partition.size();
  if (plan.partition.last_unit(modules - 1) + 1 != backbone.size()) {
    throw UserError("the partition ends at unit " +
                    std::to_string(plan.partition.last_unit(modules - 1) + 1) + ", but " +
                    backbone.name() + " has " + std::to_string(backbone.size()) + " units");
  }
  if (!plan.recompute.empty() && plan.recompute.size() != modules) {
    throw UserError("the plan sets recomputation for " + std::to_string(plan.recompute.size()) +
                    " modules, but it has " + std::to_string(modules));
  }
  const std::size_t net_count = nets(plan).size();
  if (!plan.recompute_nets.empty() && plan.recompute_nets.size() != net_count) {
    throw UserError("the plan sets recomputation for " +
                    std::to_string(plan.recompute_nets.size()) + " nets, but it has " +
                    std::to_string(net_count));
  }
  check_learning_rates(plan, net_count);
}

/// Checks that some supervision trains the head, and one every module.
void check_all_trained(const Plan& plan, const Backbone& backbone) {
  const bool head_trained = std::any_of(
      plan.supervisions.begin(), plan.supervisions.end(), [&](const Supervision& supervision) {
        return supervision.net == backbone.head() && highest_weight(supervision) > 0;
      });
  if (!head_trained) {
    throw UserError(
        "the head of " + backbone.name() +
        " would never be trained: no supervision with a weight above 0 uses it as its net");
  }
  for (std::size_t j = 0; j < plan.partition.size(); ++j) {
    const bool trained = std::any_of(
        plan.supervisions.begin(), plan.supervisions.end(), [j](const Supervision& supervision) {
          return supervision.first <= j && j <= supervision.last && highest_weight(supervision) > 0;
        });
    if (!trained && has_trainable_parameters(module_units(plan, backbone, j))) {
      throw UserError(
          "module " + std::to_string(j + 1) +
          " would never be trained: no supervision with a weight above 0 has it in its window");
    }
  }
}

}  // namespace

void check(const Plan& plan, const Backbone& backbone) {
  check_lengths(plan, backbone);
  for (const auto recompute : plan.recompute_nets) {
    if (recompute == Recompute::module) {
      throw UserError("the plan says to recompute a net in one piece, which would save nothing");
    }
  }
  for (const auto& supervision : plan.supervisions) {
    check(supervision, plan.partition.size(), backbone.head());
  }
  check_trunk_probabilities(plan);
  check_head_weight(plan, backbone);
  check_all_trained(plan, backbone);
}

void check_takes_probabilities(const Plan& plan) {
  for (const auto& supervision : plan.supervisions) {
    if (highest_weight(supervision) == 0 || !supervision.loss->needs_classes) continue;
    throw UserError(describe(supervision) + " has the loss '" + supervision.loss->name +
                    "', which needs one class for each sample, so it cannot be trained with labels "
                    "that are probabilities, such as those of mixed images");
  }
}

bool takes_any_labels(const Plan& plan) {
  return std::all_of(plan.supervisions.begin(), plan.supervisions.end(),
                     [](const auto& supervision) { return supervision.loss->takes_any_labels; });
}

void smooth_labels(Plan& plan, double label_smoothing) {
  // Losses are compared by identity: supervisions that share a loss have to go on sharing one.
  std::map<LossPtr, LossPtr> smoothed;
  for (auto& supervision : plan.supervisions) {
    auto [found, is_new] = smoothed.try_emplace(supervision.loss, nullptr);
    if (is_new) found->second = with_label_smoothing(supervision.loss, label_smoothing);
    supervision.loss = found->second;
  }
}

Recompute recompute_of_module(const Plan& plan, std::size_t module) {
  return plan.recompute.empty() ? Recompute::none : plan.recompute.at(module);
}

Recompute recompute_of_net(const Plan& plan, std::size_t net) {
  return plan.recompute_nets.empty() ? Recompute::none : plan.recompute_nets.at(net);
}

double learning_rate_of_net(const Plan& plan, std::size_t net) {
  return plan.net_learning_rates.empty() ? 1 : plan.net_learning_rates.at(net);
}

void scale_net_learning_rates(Plan& plan, const Backbone& backbone, double factor) {
  if (factor == 1) return;
  const auto all = nets(plan);
  plan.net_learning_rates.resize(all.size(), 1);
  for (std::size_t n = 0; n < all.size(); ++n) {
    if (all[n] != backbone.head()) plan.net_learning_rates[n] *= factor;
  }
}

std::vector<NamedTensor> named_parameters(const Backbone& backbone, const Plan& plan) {
  return with_nets(backbone.named_parameters(), backbone, plan,
                   [](const AuxiliaryNet& net) { return net.named_parameters(); });
}

std::vector<NamedTensor> named_buffers(const Backbone& backbone, const Plan& plan) {
  return with_nets(backbone.named_buffers(), backbone, plan,
                   [](const AuxiliaryNet& net) { return net.named_buffers(); });
}

std::vector<std::shared_ptr<const AuxiliaryNet>> nets(const Plan& plan) {
  std::vector<std::shared_ptr<const AuxiliaryNet>> distinct;
  const auto add = [&distinct](const std::shared_ptr<const AuxiliaryNet>& net) {
    const bool known = std::find(distinct.begin(), distinct.end(), net) != distinct.end();
    if (net && !known) distinct.push_back(net);
  };
  for (const auto& supervision : plan.supervisions) {
    if (supervision.net) add(supervision.net->trunk());
    add(supervision.net);
  }
  return distinct;
}

std::size_t longest_window(const Plan& plan) {
  std::size_t longest = 0;
  for (const auto& supervision : plan.supervisions) {
    if (highest_weight(supervision) > 0) {
      longest = std::max(longest, supervision.last - supervision.first + 1);
    }
  }
  return longest;
}

std::vector<Unit> module_units(const Plan& plan, const Backbone& backbone, std::size_t module) {
  const auto& units = backbone.units();
  const auto first = units.begin() + static_cast<std::ptrdiff_t>(plan.partition.first_unit(module));
  const auto last = units.begin() + static_cast<std::ptrdiff_t>(plan.partition.last_unit(module));
  return {first, last + 1};
}

}  // namespace mlaan
