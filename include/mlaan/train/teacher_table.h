// What the network made of each training image an epoch ago, to be mixed into the labels.
#pragma once

#include <mlaan/data/batch.h>
#include <mlaan/local/engine.h>
#include <mlaan/nn/unit.h>
#include <mlaan/train/options.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace mlaan {

class ProcessGroup;

/// The probabilities of the network's own head for each training image, as it gave them when the
/// image was last trained on (images × classes, float32). They are of the picture as it was
/// augmented then, which gives each image a new view of itself in every epoch (progressive
/// self-distillation, Kim et al. 2021, arXiv:2006.12000). Rows of images that have not been seen
/// are left out of the mixing.
class TeacherTable {
 public:
  TeacherTable(std::int64_t images, std::int64_t classes, torch::Device device);

  /// (1 − share)·one-hot + share·probabilities: batch × classes, float32, on the table's device.
  /// \param labels int64, one class a sample. \param images the samples' numbers, int64.
  torch::Tensor mixed(const torch::Tensor& labels, const torch::Tensor& images, double share) const;

  /// Takes what the head gave for these images. \param logits batch × classes.
  void record(const torch::Tensor& images, const torch::Tensor& logits);

  /// Takes over what the other processes have recorded since this was last called. All of them
  /// record in the same steps.
  void exchange(ProcessGroup& group);

  /// All of it, for checkpoints: "teacher.probabilities".
  std::vector<NamedTensor> state() const;
  /// \throws UserError where the state is not there, or of another data set.
  void set_state(const std::vector<NamedTensor>& state);

 private:
  torch::Tensor probabilities_;  ///< −1 in the rows of images that have not been seen
  torch::Tensor is_own_;  ///< images × 1: 1 in rows recorded since the last exchange, else 0
  bool has_own_ = false;  ///< whether there is such a row
};

/// The share of the labels when so much of the training is done: 0 until `from`, then in proportion
/// up to `share` at the end.
double teacher_share(const TeacherOptions& options, double progress);

/// The table that a run asks for, if it does.
/// \throws UserError where pictures are mixed: probabilities are of single ones.
std::optional<TeacherTable> make_teacher_table(const Settings& settings, std::int64_t images,
                                               std::int64_t classes, torch::Device device);

/// Trains on a batch whose labels, of all or of nets alone, the teacher has its share of; and
/// records what comes of it. \param progress of the training, from 0 to 1.
StepResult taught_step(Engine& engine, TeacherTable& teacher, const Batch& batch,
                       const TeacherOptions& options, double progress);

}  // namespace mlaan
