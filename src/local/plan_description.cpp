// A supervision plan as names, numbers and text, as methods and plan files contain it.
#include <mlaan/core/random.h>
#include <mlaan/core/suggest.h>
#include <mlaan/local/plan_description.h>

#include <algorithm>
#include <map>
#include <set>

namespace mlaan {
namespace {

std::string modules_text(std::size_t first, std::size_t last) {
  return std::to_string(first + 1) + " to " + std::to_string(last + 1);
}

/// Builds a plan; makes each net when the first supervision refers to it.
class PlanBuilder {
 public:
  PlanBuilder(const PlanDescription& description, const Backbone& backbone, std::uint64_t seed)
      : description_(description), backbone_(backbone), seed_(seed), plan_{description.partition,
                                                                           {},
                                                                           {},
                                                                           {},
                                                                           {},
                                                                           {}} {
    for (const auto& net : description.nets) {
      if (net.name == head_name || net.name.empty()) {
        throw UserError("a net must have a name, and not '" + std::string(head_name) +
                        "', which is the backbone's own");
      }
      if (!descriptions_.emplace(net.name, &net).second) {
        throw UserError("two nets are called '" + net.name + "'");
      }
    }
  }

  Plan run() {
    for (const auto& supervision : description_.supervisions) {
      if (supervision.last >= plan_.partition.size() || supervision.first > supervision.last) {
        throw UserError("supervision '" + supervision.name + "' of modules " +
                        modules_text(supervision.first, supervision.last) +
                        ": a window must lie within modules 1 to " +
                        std::to_string(plan_.partition.size()) + " and not end before it begins");
      }
      check_output(supervision);
      plan_.supervisions.push_back({supervision.name, supervision.first, supervision.last,
                                    net_of(supervision), loss_of(supervision.loss),
                                    supervision.weight, supervision.probability, supervision.course,
                                    supervision.final_weight});
    }
    for (const auto& net : description_.nets) {
      if (made_.count(net.name) > 0) continue;
      throw UserError("no supervision reads net '" + net.name + "'");
    }
    set_learning_rates();
    check(plan_, backbone_);
    return std::move(plan_);
  }

 private:
  struct Made {
    std::shared_ptr<AuxiliaryNet> net;
    Shape reads;
  };

  std::shared_ptr<AuxiliaryNet> net_of(const SupervisionDescription& supervision) {
    if (supervision.net == head_name) return backbone_.head();
    check_tied_layers(supervision);
    return net_named(supervision.net,
                     backbone_.output_shape(plan_.partition.last_unit(supervision.last)));
  }

  /// A tied layer has to read its unit's weights before the step updates them, which is certain for
  /// later units only.
  void check_tied_layers(const SupervisionDescription& supervision) const {
    const std::size_t last_unit = plan_.partition.last_unit(supervision.last);
    for (std::string name = supervision.net; !name.empty();) {
      const NetDescription& net = description_of(name);
      for (const auto unit : tied_units(net.layers, backbone_)) {
        if (unit > last_unit) continue;
        throw UserError("net '" + net.name +
                        "': a tied layer must come after what the net reads; '" +
                        backbone_.units()[unit].name() + "' is part of modules 1 to " +
                        std::to_string(supervision.last + 1));
      }
      name = name == net.trunk ? "" : net.trunk;
    }
  }

  /// Refuses a net whose output the loss cannot read.
  void check_output(const SupervisionDescription& supervision) {
    if (supervision.net == head_name) return;
    const NetDescription& net = description_of(supervision.net);
    try {
      Shape shape = backbone_.output_shape(plan_.partition.last_unit(supervision.last));
      if (!net.trunk.empty()) {
        shape = output_shape_of(description_of(net.trunk).layers, shape, backbone_);
      }
      check_reads(*loss_of(supervision.loss), output_shape_of(net.layers, shape, backbone_),
                  backbone_.classes(), backbone_.input_shape(0));
    } catch (const UserError& error) {
      throw UserError("net '" + net.name + "': " + error.what());
    }
  }

  const NetDescription& description_of(const std::string& name) const {
    const auto found = descriptions_.find(name);
    if (found != descriptions_.end()) return *found->second;
    std::vector<std::string> names{head_name};
    for (const auto& net : description_.nets) names.push_back(net.name);
    throw UserError(unknown_name("net", name, names));
  }

  /// \param features shape of the module's output, which the net or its trunk reads.
  std::shared_ptr<AuxiliaryNet> net_named(const std::string& name, const Shape& features) {
    const auto found = made_.find(name);
    if (found == made_.end()) {
      return made_.emplace(name, Made{make(description_of(name), features), features})
          .first->second.net;
    }
    if (found->second.reads != features) {
      throw UserError("net '" + name + "' reads modules that give " +
                      to_string(found->second.reads) + " and " + to_string(features) +
                      "; a net can read one shape only");
    }
    return found->second.net;
  }

  std::shared_ptr<AuxiliaryNet> make(const NetDescription& net, const Shape& features) {
    std::shared_ptr<AuxiliaryNet> trunk;
    Shape reads = features;
    if (!net.trunk.empty()) {
      const NetDescription& read = description_of(net.trunk);
      if (&read == &net || !read.trunk.empty()) {
        throw UserError("net '" + net.name + "' reads net '" + read.name +
                        "', which must itself read a module");
      }
      trunk = net_named(net.trunk, features);
      reads = output_shape_of(read.layers, features, backbone_);
    }
    const DefaultGeneratorGuard guard(torch::kCPU);
    seed_default_generator(torch::kCPU, random_key({seed_, random_key(net.name)}));
    try {
      BuiltLayers layers = build_layers(net.layers, reads, backbone_);
      for (auto& average : layers.averages) plan_.averages.push_back(std::move(average));
      return std::make_shared<AuxiliaryNet>(net.name, std::move(layers.units), std::move(trunk),
                                            net.layers);
    } catch (const UserError& error) {
      throw UserError("net '" + net.name + "': " + error.what());
    }
  }

  void set_learning_rates() {
    const auto all = nets(plan_);
    for (std::size_t n = 0; n < all.size(); ++n) {
      const auto found = descriptions_.find(all[n]->name());
      if (found == descriptions_.end() || found->second->learning_rate == 1) continue;
      plan_.net_learning_rates.resize(all.size(), 1);
      plan_.net_learning_rates[n] = found->second->learning_rate;
    }
  }

  LossPtr loss_of(const std::string& text) {
    auto& loss = losses_[text];
    if (!loss) loss = parse_loss(text, backbone_.classes(), backbone_.normalisation());
    return loss;
  }

  const PlanDescription& description_;
  const Backbone& backbone_;
  std::uint64_t seed_;
  Plan plan_;
  std::map<std::string, const NetDescription*> descriptions_;
  std::map<std::string, Made> made_;
  std::map<std::string, LossPtr> losses_;
};

/// Refuses a loss of somebody's own, whose name would not read back.
void check_is_readable(const Supervision& supervision, const Backbone& backbone) {
  try {
    const std::string& name = supervision.loss->name;
    if (parse_loss(name, backbone.classes(), backbone.normalisation())->name == name) return;
  } catch (const UserError&) {  // said below
  }
  throw UserError(
      "supervision '" + supervision.name + "' has the loss '" + supervision.loss->name +
      "', which is not among `mlaan info losses`, so this plan cannot be written to a file");
}

}  // namespace

Plan build_plan(const PlanDescription& description, const Backbone& backbone, std::uint64_t seed) {
  return PlanBuilder(description, backbone, seed).run();
}

PlanDescription describe(const Plan& plan, const Backbone& backbone) {
  PlanDescription description{plan.partition, {}, {}};
  const auto all = nets(plan);
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto& net = all[n];
    if (net == backbone.head()) continue;
    NetDescription text{net->name(), net->trunk() ? net->trunk()->name() : "", net->layer_texts(),
                        learning_rate_of_net(plan, n)};
    if (text.layers.empty()) {
      throw UserError("net '" + text.name +
                      "' was not made from layer texts, so this plan cannot be written to a file");
    }
    description.nets.push_back(std::move(text));
  }
  for (const auto& supervision : plan.supervisions) {
    check_is_readable(supervision, backbone);
    description.supervisions.push_back(
        {supervision.name, supervision.first, supervision.last,
         supervision.net == backbone.head() ? head_name : supervision.net->name(),
         supervision.loss->name, supervision.weight, supervision.probability, supervision.course,
         supervision.final_weight});
  }
  return description;
}

}  // namespace mlaan
