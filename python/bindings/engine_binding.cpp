// Binds Engine.
#include "bindings.h"
#include "engine_options.h"
#include "named_tensors.h"
#include "python_optimizer.h"
#include "reference.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/handover.h>
#include <mlaan/local/optimizer_state.h>

#include <c10/core/InferenceMode.h>
#include <torch/csrc/utils/pybind.h>

#include <pybind11/stl.h>

#include <atomic>
#include <optional>
#include <type_traits>

namespace mlaan::python {
namespace {

/// An engine that only one call at a time may use. Calls release the GIL, so another thread, or a
/// Python unit, loss or hook, could call again.
class BoundEngine {
 public:
  /// \param hooks a Python object with the methods `observe` and `before_update`.
  BoundEngine(const Backbone& backbone, const Plan& plan, const py::dict& options, py::object hooks)
      : hooks_(std::move(hooks)), engine_(backbone, plan, with_hook(options)) {
    engine_.set_observer([this](const Operation& operation) { observe(operation); });
  }

  py::tuple step(const torch::Tensor& images, const torch::Tensor& labels,
                 const std::optional<torch::Tensor>& net_labels) {
    const StepResult result = alone([&] {
      const torch::AutoGradMode recording(true);
      return engine_.step(images, labels, net_labels.value_or(torch::Tensor()));
    });
    return py::make_tuple(result.losses, result.logits);
  }

  py::tuple accumulate(const torch::Tensor& images, const torch::Tensor& labels) {
    const StepResult result = alone([&] {
      const torch::AutoGradMode recording(true);
      return engine_.accumulate(images, labels);
    });
    return py::make_tuple(result.losses, result.logits);
  }

  void update() {
    alone([&] { engine_.update(); });
  }

  torch::Tensor predict(const torch::Tensor& images) {
    return alone([&] { return engine_.predict(images); });
  }

  /// See mlaan::hand_over().
  void hand_over(const Plan& plan, const py::dict& options) {
    EngineOptions next = with_hook(options);
    alone([&] { engine_ = mlaan::hand_over(std::move(engine_), plan, std::move(next)); });
    engine_.set_observer([this](const Operation& operation) { observe(operation); });
  }

  py::list parts() const {
    py::list list;
    for (const auto& part : engine_.parts()) {
      const auto* own = dynamic_cast<const PythonOptimizer*>(part.optimizer.get());
      list.append(py::make_tuple(part.name, to_python(part.parameters),
                                 own != nullptr ? own->optimizer() : py::none()));
    }
    return list;
  }

  std::vector<std::string> operations() const {
    std::vector<std::string> texts;
    for (const auto& operation : engine_.schedule().operations) {
      texts.push_back(operation->text());
    }
    return texts;
  }

  void set_observed(bool on) { observed_ = on; }
  void set_updates_watched(bool on) { updates_watched_ = on; }
  Engine& engine() { return engine_; }

 private:
  /// Runs work without the GIL; throws if the engine is already in use.
  template <class Work>
  std::invoke_result_t<const Work&> alone(const Work& work) {
    if (busy_.exchange(true)) {
      throw Error(
          "this engine is in the middle of a step: it can be used by one thread at a time, "
          "and not by the units, losses and hooks that it calls");
    }
    struct Leave {
      std::atomic<bool>& busy;
      ~Leave() { busy = false; }
    } leave{busy_};
    const py::gil_scoped_release unlock;
    const c10::InferenceMode off(false);  // the caller may be in inference mode
    return work();
  }

  EngineOptions with_hook(const py::dict& given) {
    EngineOptions options = make_engine_options(given);
    options.before_update = [this](const TrainedPart& part) {
      if (!updates_watched_) return;
      const py::gil_scoped_acquire lock;
      hooks_.get().attr("before_update")(part.name, to_python(part.parameters));
    };
    return options;
  }

  void observe(const Operation& operation) {
    const py::gil_scoped_acquire lock;
    // Handles Ctrl-C within a step, not only at its end.
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!observed_) return;
    hooks_.get().attr("observe")(operation.text(), operation.module());
  }

  Reference hooks_;
  std::atomic<bool> busy_{false};
  bool observed_ = false;
  bool updates_watched_ = false;
  Engine engine_;
};

void bind_state(py::class_<BoundEngine>& engine) {
  engine
      .def("named_parameters",
           [](BoundEngine& bound) { return to_python(bound.engine().named_parameters()); })
      .def("named_buffers",
           [](BoundEngine& bound) { return to_python(bound.engine().named_buffers()); })
      .def("loss_scale_state",
           [](BoundEngine& bound) { return to_python(bound.engine().loss_scale_state()); })
      .def("set_loss_scale_state",
           [](BoundEngine& bound, const py::dict& state) {
             bound.engine().set_loss_scale_state(from_python(state));
           })
      .def("optimizer_state",
           [](BoundEngine& bound) { return to_python(optimizer_state(bound.engine().parts())); })
      .def("set_optimizer_state",
           [](BoundEngine& bound, const py::dict& state) {
             set_optimizer_state(bound.engine().parts(), from_python(state));
           })
      .def_property(
          "steps_done", [](BoundEngine& bound) { return bound.engine().steps_done(); },
          [](BoundEngine& bound, std::int64_t steps) { bound.engine().set_steps_done(steps); });
}

}  // namespace

void bind_engine(py::module_& module) {
  py::class_<BoundEngine> engine(module, "Engine");
  engine.def(py::init<const Backbone&, const Plan&, const py::dict&, py::object>())
      .def("step", &BoundEngine::step)
      .def("accumulate", &BoundEngine::accumulate)
      .def("update", &BoundEngine::update)
      .def("predict", &BoundEngine::predict)
      .def("hand_over", &BoundEngine::hand_over)
      .def("set_learning_rate",
           [](BoundEngine& bound, double lr) { bound.engine().set_learning_rate(lr); })
      .def("set_progress",
           [](BoundEngine& bound, double progress) { bound.engine().set_progress(progress); })
      .def("set_recompute",
           [](BoundEngine& bound, const std::vector<int>& modules, const std::vector<int>& nets) {
             std::vector<Recompute> of_modules;
             std::vector<Recompute> of_nets;
             for (const int level : modules) of_modules.push_back(static_cast<Recompute>(level));
             for (const int level : nets) of_nets.push_back(static_cast<Recompute>(level));
             bound.engine().set_recompute(std::move(of_modules), std::move(of_nets));
           })
      .def_property_readonly("parts", &BoundEngine::parts)
      .def_property_readonly("operations", &BoundEngine::operations)
      .def("set_observed", &BoundEngine::set_observed)
      .def("set_updates_watched", &BoundEngine::set_updates_watched);
  bind_state(engine);
}

}  // namespace mlaan::python
