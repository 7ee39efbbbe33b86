// The network's predictions for the training images an epoch ago, to be mixed into the labels.
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

/// The class probabilities that the network's own head returned for each training image when the
/// image was last trained on (images × classes, float32). They belong to the picture as it was
/// augmented then, so that each image is taught by another view of itself in every epoch
/// (progressive self-distillation, Kim et al. 2021, arXiv:2006.12000). The labels of images that
/// have not been seen are not mixed.
class TeacherTable {
 public:
  TeacherTable(std::int64_t images, std::int64_t classes, torch::Device device);

  /// (1 − share)·one-hot + share·probabilities: batch × classes, float32, on the table's device.
  /// \param labels class numbers, int64, batch.
  /// \param images numbers of the samples in the data set, int64, batch.
  torch::Tensor mixed(const torch::Tensor& labels, const torch::Tensor& images, double share) const;

  /// Stores the head's probabilities for these images.
  /// \param logits batch × classes; undefined: nothing is stored.
  void record(const torch::Tensor& images, const torch::Tensor& logits);

  /// Adds what the other processes have recorded since the last call. All processes record in the
  /// same steps.
  void exchange(ProcessGroup& group);

  /// The whole table, for checkpoints: "teacher.probabilities".
  std::vector<NamedTensor> state() const;
  /// \throws UserError if the state is missing, or belongs to another data set.
  void set_state(const std::vector<NamedTensor>& state);

 private:
  torch::Tensor probabilities_;  ///< −1 in the rows of images that have not been seen
  torch::Tensor is_own_;  ///< images × 1: 1 in rows recorded since the last exchange, else 0
  bool has_own_ = false;  ///< whether there is a row of 1
};

/// The share of the table in the labels at a progress of the training from 0 to 1: 0 until `from`,
/// then linearly up to `share` at the end.
double teacher_share(const TeacherOptions& options, double progress);

/// The table, if the run's settings ask for one.
/// \throws UserError if pictures are mixed: the table holds probabilities of single pictures.
std::optional<TeacherTable> make_teacher_table(const Settings& settings, std::int64_t images,
                                               std::int64_t classes, torch::Device device);

/// Trains on a batch with the table mixed into the labels, of everything or of the auxiliary nets
/// alone, and records the head's new probabilities.
/// \param progress of the training, from 0 to 1.
StepResult taught_step(Engine& engine, TeacherTable& teacher, const Batch& batch,
                       const TeacherOptions& options, double progress);

}  // namespace mlaan
