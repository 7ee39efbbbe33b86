// Traces networks: runs them and records the LibTorch operators that are called as a graph.
#include "train/traced_network.h"

#include <mlaan/core/error.h>

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include <map>
#include <utility>

namespace mlaan {
namespace {

namespace jit = torch::jit;

constexpr std::int64_t first_batch = 2;
constexpr std::int64_t second_batch = 3;

/// Nested modules, one for each part of the parameters' names.
class NamedModules {
 public:
  NamedModules()
      : unit_(std::make_shared<jit::CompilationUnit>()),
        root_(c10::QualifiedName("__torch__.Network"), unit_) {}

  /// \param name "layer1.0.conv1.weight"
  void add(const NamedTensor& named, bool is_buffer) {
    const auto point = named.name.rfind('.');
    jit::Module owner = point == std::string::npos ? root_ : below(named.name.substr(0, point));
    owner.register_parameter(named.name.substr(point + 1), named.tensor, is_buffer);
  }

  jit::Module& root() { return root_; }

 private:
  /// The module of this name, made together with its parents if it does not exist.
  jit::Module below(const std::string& name) {
    const auto found = made_.find(name);
    if (found != made_.end()) return found->second;
    const auto point = name.rfind('.');
    jit::Module above = point == std::string::npos ? root_ : below(name.substr(0, point));
    // Class names must be valid in Python, so the modules are numbered.
    const auto number = std::to_string(made_.size());
    jit::Module module(c10::QualifiedName("__torch__.Part" + number), unit_);
    above.register_module(name.substr(point + 1), module);
    return made_.emplace(name, module).first->second;
  }

  std::shared_ptr<jit::CompilationUnit> unit_;
  jit::Module root_;
  std::map<std::string, jit::Module> made_;
};

/// Turns off the tracer's warnings; the resulting graph is checked instead.
class SilentTracer {
 public:
  SilentTracer() : before_(jit::tracer::getTracerStateWarnMode().exchange(false)) {}
  ~SilentTracer() { jit::tracer::getTracerStateWarnMode() = before_; }
  SilentTracer(const SilentTracer&) = delete;
  SilentTracer& operator=(const SilentTracer&) = delete;

 private:
  bool before_;
};

std::shared_ptr<jit::Graph> trace_batch(const MultiExitNetwork& network, jit::Module& module,
                                        std::int64_t batch) {
  const torch::NoGradGuard no_grad;
  const SilentTracer silent;
  Shape sizes = network.backbone.input_shape(0);
  sizes.insert(sizes.begin(), batch);
  const auto run = [&](jit::Stack inputs) -> jit::Stack {
    auto outputs = network.forward(inputs.at(0).toTensor());
    if (outputs.size() == 1) return {outputs.front()};
    std::vector<c10::IValue> values(outputs.begin(), outputs.end());
    return {c10::ivalue::Tuple::create(std::move(values))};
  };
  const auto nameless = [](const torch::autograd::Variable&) { return std::string(); };
  const auto traced = jit::tracer::trace({torch::zeros(sizes)}, run, nameless, /*strict=*/true,
                                         /*force_outplace=*/true, &module, {"images"});
  return traced.first->graph;
}

[[noreturn]] void refuse_to_trace(const std::string& why) {
  throw Error("this network cannot be written down as a graph: " + why);
}

/// Compares the traces for two batch sizes. Constants that differ are replaced in the first trace
/// by the batch size, or a multiple of it.
class BatchFinder {
 public:
  BatchFinder(TracedNetwork& traced, jit::Graph& other) : traced_(traced), other_(other) {}

  void run() {
    auto other = other_.nodes().begin();
    std::vector<std::pair<jit::Value*, std::int64_t>> of_batch;
    for (jit::Node* node : traced_.graph->nodes()) {
      if (other == other_.nodes().end() || other->kind() != node->kind() ||
          other->outputs().size() != node->outputs().size() || !node->blocks().empty()) {
        refuse_to_trace("what it computes depends on the size of the batch");
      }
      if (node->kind() == c10::prim::Constant) {
        const auto factor = factor_of(node->output(), other->output());
        if (factor > 0) of_batch.emplace_back(node->output(), factor);
      }
      for (std::size_t i = 0; i < node->outputs().size(); ++i) {
        note_sizes(node->outputs()[i], other->outputs()[i]);
      }
      ++other;
    }
    for (std::size_t i = 0; i < traced_.graph->inputs().size(); ++i) {
      note_sizes(traced_.graph->inputs()[i], other_.inputs()[i]);
    }
    for (const auto& [value, factor] : of_batch) value->replaceAllUsesWith(batch_times(factor));
  }

 private:
  /// How often the batch size is contained in a constant; 0 for one that does not depend on it.
  static std::int64_t factor_of(jit::Value* first, jit::Value* second) {
    const auto one = jit::toIValue(first);
    const auto two = jit::toIValue(second);
    if (!one || !two || !one->isInt() || !two->isInt()) return 0;
    const std::int64_t difference = two->toInt() - one->toInt();
    if (difference == 0) return 0;
    if (one->toInt() != difference * first_batch) {
      refuse_to_trace("it has a number that does not grow in proportion to the batch");
    }
    return difference;
  }

  void note_sizes(const jit::Value* first, const jit::Value* second) {
    const auto one = sizes_of(first);
    const auto two = sizes_of(second);
    if (one.size() != two.size())
      refuse_to_trace("its tensors have other dimensions for other batches");
    if (!is_tensor(first)) return;
    auto& sizes = traced_.sizes[first];
    for (std::size_t i = 0; i < one.size(); ++i) {
      const bool grows = one[i] != two[i];
      sizes.push_back({grows ? one[i] / first_batch : one[i], grows});
    }
  }

  static bool is_tensor(const jit::Value* value) {
    return value->type()->kind() == c10::TypeKind::TensorType;
  }

  static std::vector<std::int64_t> sizes_of(const jit::Value* value) {
    if (!is_tensor(value)) return {};
    const auto sizes = value->type()->expect<c10::TensorType>()->sizes().concrete_sizes();
    return sizes ? *sizes : std::vector<std::int64_t>();
  }

  jit::Value* batch_times(std::int64_t factor) {
    auto& made = batch_times_[factor];
    if (made != nullptr) return made;
    jit::Graph& graph = *traced_.graph;
    jit::WithInsertPoint at_the_start(*graph.nodes().begin());
    const jit::NamedValue first_dimension(c10::IValue(std::int64_t{0}));
    if (batch_ == nullptr) {
      batch_ = graph.insert(c10::aten::size, {graph.inputs().at(1), first_dimension});
    }
    jit::WithInsertPoint behind(batch_->node()->next());
    const jit::NamedValue times{c10::IValue(factor)};
    made = factor == 1 ? batch_ : graph.insert(c10::aten::mul, {batch_, times});
    return made;
  }

  TracedNetwork& traced_;
  jit::Graph& other_;
  jit::Value* batch_ = nullptr;
  std::map<std::int64_t, jit::Value*> batch_times_;
};

}  // namespace

TracedNetwork trace_network(const MultiExitNetwork& network) {
  NamedModules modules;
  for (const auto& named : network.named_parameters()) modules.add(named, /*is_buffer=*/false);
  for (const auto& named : network.named_buffers()) modules.add(named, /*is_buffer=*/true);
  TracedNetwork traced{modules.root(), nullptr, {}};
  traced.graph = trace_batch(network, traced.module, first_batch);
  BatchFinder(traced, *trace_batch(network, traced.module, second_batch)).run();
  return traced;
}

jit::Module scripted(const TracedNetwork& traced) {
  jit::Module module = traced.module;
  const c10::QualifiedName name(*module.type()->name(), "forward");
  auto* function = module._ivalue()->compilation_unit()->create_function(name, traced.graph);
  module.type()->addMethod(function);
  module.eval();
  return module;
}

}  // namespace mlaan
