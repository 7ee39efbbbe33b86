// The weights and optimizer state that the stages of a training exchange between steps.
#include "train/stage_sharing.h"

#include "local/operations/follow_module.h"

#include <mlaan/core/error.h>
#include <mlaan/local/optimizer_state.h>

#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace mlaan {
namespace {

/// Dtype, shape and name of each tensor, one per line; names contain no line break.
std::string list_of_tensors(const std::vector<NamedTensor>& tensors) {
  std::ostringstream text;
  for (const auto& named : tensors) {
    text << static_cast<int>(named.tensor.scalar_type()) << ' ' << named.tensor.dim();
    for (const auto size : named.tensor.sizes()) text << ' ' << size;
    text << ' ' << named.name << '\n';
  }
  return text.str();
}

/// Empty tensors of the dtypes and shapes in a list.
std::vector<NamedTensor> tensors_of_list(const std::string& list) {
  std::vector<NamedTensor> tensors;
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    int type = 0;
    std::size_t dimensions = 0;
    words >> type >> dimensions;
    std::vector<std::int64_t> sizes(dimensions);
    for (auto& size : sizes) words >> size;
    std::string name;
    std::getline(words >> std::ws, name);
    tensors.push_back({name, torch::empty(sizes, static_cast<torch::Dtype>(type))});
  }
  return tensors;
}

}  // namespace

void share_weights(Engine& engine, ProcessGroup& group, const std::vector<NamedTensor>& beside,
                   const std::string& prefix) {
  engine.finish_steps();
  std::map<std::string, torch::Tensor> others;
  for (const auto& named : beside) others.emplace(named.name, named.tensor);
  for (std::size_t stage = 0; stage < engine.stages().count(); ++stage) {
    std::vector<torch::Tensor> tensors;
    for (const auto& named : engine.tensors_of_stage(stage)) {
      tensors.push_back(named.tensor);
      const auto found = others.find(prefix + named.name);
      if (found != others.end()) tensors.push_back(found->second);
    }
    group.broadcast(tensors, "the weights of stage " + std::to_string(stage + 1),
                    static_cast<int>(stage));
  }
}

std::vector<NamedTensor> state_of_other_stages(const Engine& engine, ProcessGroup& group) {
  const std::string what = "the optimizers' state";
  std::vector<NamedTensor> own = optimizer_state(engine.parts());
  for (auto& named : engine.twin_state()) own.push_back(std::move(named));
  const auto lists = group.gather(list_of_tensors(own), what);
  std::vector<NamedTensor> others;
  for (std::size_t rank = 0; rank < lists.size(); ++rank) {
    const bool is_own = static_cast<int>(rank) == group.rank();
    const auto tensors = is_own ? own : tensors_of_list(lists[rank]);
    group.broadcast(tensors_of(tensors), what, static_cast<int>(rank));
    if (!is_own) others.insert(others.end(), tensors.begin(), tensors.end());
  }
  return others;
}

void keep_own_state(const Engine& engine) {
  std::vector<NamedTensor> own;
  for (std::size_t p = 0; p < engine.parts().size(); ++p) {
    const TrainedPart& part = engine.parts()[p];
    if (engine.part_stages()[p] != engine.stages().own) continue;
    for (const auto& parameter : part.parameters) {
      for (auto& piece : optimizer_state(part, parameter)) own.push_back(std::move(piece));
    }
  }
  set_optimizer_state(engine.parts(), own);
}

std::vector<std::string> notes_on_waiting(const Engine& engine) {
  std::map<std::size_t, std::set<std::size_t>> modules;  // modules to wait for, by stage
  for (const auto& operation : engine.schedule().operations) {
    const auto* follows = dynamic_cast<const FollowReceived*>(operation.get());
    if (follows == nullptr || follows->channel().from < engine.stages().own) continue;
    modules[follows->channel().from].insert(follows->module());
  }
  std::vector<std::string> notes;
  for (const auto& [stage, followed] : modules) {
    notes.push_back("stage " + std::to_string(engine.stages().own + 1) +
                    " waits in every step for stage " + std::to_string(stage + 1) +
                    ": twins in its nets follow " + std::to_string(followed.size()) +
                    (followed.size() == 1 ? " module" : " modules") +
                    " there; --set dist.twin_delay=" + std::to_string(stage - engine.stages().own) +
                    " lets them lag behind");
  }
  return notes;
}

}  // namespace mlaan
