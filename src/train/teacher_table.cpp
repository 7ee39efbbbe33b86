// The network's predictions for the training images an epoch ago, to be mixed into the labels.
#include <mlaan/core/error.h>
#include <mlaan/dist/process_group.h>
#include <mlaan/train/teacher_table.h>

#include <ATen/Functions.h>

namespace mlaan {
namespace {

constexpr const char* state_name = "teacher.probabilities";

}  // namespace

TeacherTable::TeacherTable(std::int64_t images, std::int64_t classes, torch::Device device)
    : probabilities_(
          at::full({images, classes}, -1, torch::TensorOptions(device).dtype(torch::kFloat32))),
      is_own_(at::zeros({images, 1}, probabilities_.options())) {}

torch::Tensor TeacherTable::mixed(const torch::Tensor& labels, const torch::Tensor& images,
                                  double share) const {
  const torch::NoGradGuard no_grad;
  const auto device = probabilities_.device();
  const auto rows = probabilities_.index_select(0, images.to(device));
  const auto one_hot = at::one_hot(labels.to(device), probabilities_.size(1)).to(torch::kFloat32);
  const auto known = rows.select(1, 0).ge(0).unsqueeze(1);
  return at::where(known, at::lerp(one_hot, rows, share), one_hot);
}

void TeacherTable::record(const torch::Tensor& images, const torch::Tensor& logits) {
  if (!logits.defined()) return;
  const torch::NoGradGuard no_grad;
  probabilities_.index_copy_(0, images.to(probabilities_.device()),
                             logits.detach().to(torch::kFloat32).softmax(1));
  is_own_.index_fill_(0, images.to(probabilities_.device()), 1);
  has_own_ = true;
}

void TeacherTable::exchange(ProcessGroup& group) {
  const torch::NoGradGuard no_grad;
  const std::string what = "the teacher's table";
  // With stages, only the last one records predictions.
  if (group.highest(has_own_ ? 1 : 0, what) == 0) return;
  const auto sums = probabilities_ * is_own_;
  group.sum(sums, what);
  group.sum(is_own_, what);
  // Two processes record the same image if it replaces another one that cannot be read.
  probabilities_ = at::where(is_own_.gt(0), sums / is_own_.clamp_min(1), probabilities_);
  is_own_.zero_();
  has_own_ = false;
}

std::vector<NamedTensor> TeacherTable::state() const {
  return {{state_name, probabilities_}};
}

void TeacherTable::set_state(const std::vector<NamedTensor>& state) {
  for (const auto& named : state) {
    if (named.name != state_name) continue;
    if (named.tensor.sizes() != probabilities_.sizes()) {
      throw UserError("its '" + named.name + "' is of " + std::to_string(named.tensor.size(0)) +
                      " training images, where the data set has " +
                      std::to_string(probabilities_.size(0)));
    }
    probabilities_.copy_(named.tensor);
    return;
  }
  throw UserError(std::string("it has no '") + state_name +
                  "', which resuming with teacher.share above 0 needs");
}

double teacher_share(const TeacherOptions& options, double progress) {
  if (progress <= options.from || options.from >= 1) return 0;
  return options.share * (progress - options.from) / (1 - options.from);
}

std::optional<TeacherTable> make_teacher_table(const Settings& settings, std::int64_t images,
                                               std::int64_t classes, torch::Device device) {
  if (settings.get<TeacherOptions>().share == 0) return std::nullopt;
  const auto& augment = settings.get<AugmentOptions>();
  if (augment.enabled && (augment.mixup > 0 || augment.cutmix > 0)) {
    throw UserError(
        "teacher.share above 0 cannot be combined with augment.mixup and augment.cutmix: its table "
        "holds probabilities of single images only; accepted: both 0, or teacher.share = 0");
  }
  return TeacherTable(images, classes, device);
}

StepResult taught_step(Engine& engine, TeacherTable& teacher, const Batch& batch,
                       const TeacherOptions& options, double progress) {
  const auto mixed = teacher.mixed(batch.labels, batch.indices, teacher_share(options, progress));
  StepResult result = options.of == "all" ? engine.step(batch.images, mixed)
                                          : engine.step(batch.images, batch.labels, mixed);
  teacher.record(batch.indices, result.logits);
  return result;
}

}  // namespace mlaan
