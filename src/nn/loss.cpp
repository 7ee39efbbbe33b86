// Losses, which supervisions minimise.
#include <mlaan/core/error.h>
#include <mlaan/nn/backbone.h>
#include <mlaan/nn/batch_peers.h>
#include <mlaan/nn/loss.h>
#include <mlaan/nn/loss_kind.h>

#include <sstream>
#include <utility>

namespace mlaan {

void check_labels(const torch::Tensor& labels, std::int64_t samples, std::int64_t classes,
                  const std::string& what) {
  const auto refuse = [&](const std::string& problem) {
    throw UserError("labels of " + what + " " + problem + "; expected an int64 tensor of " +
                    std::to_string(samples) + " classes from 0 to " + std::to_string(classes - 1) +
                    ", or a floating one of " + std::to_string(samples) + " × " +
                    std::to_string(classes) + " probabilities");
  };
  if (!are_classes(labels) && !labels.is_floating_point()) {
    refuse("are of the type " + std::string(c10::toString(labels.scalar_type())));
  }
  const bool fits = are_classes(labels) ? labels.dim() == 1 && labels.size(0) == samples
                                        : labels.sizes() == torch::IntArrayRef({samples, classes});
  if (!fits) {
    std::ostringstream sizes;
    sizes << labels.sizes();
    refuse("have the sizes " + sizes.str());
  }
  if (!are_classes(labels) || !labels.is_cpu() || samples == 0) return;
  const auto lowest = labels.min().item<std::int64_t>();
  const auto highest = labels.max().item<std::int64_t>();
  if (lowest < 0 || highest >= classes) {
    refuse("name the class " + std::to_string(lowest < 0 ? lowest : highest));
  }
}

void check_reads(const Loss& loss, const Shape& output, std::int64_t classes, const Shape& image) {
  const auto check = [&](bool fits, const std::string& expected) {
    if (fits) return;
    throw UserError("it gives " + to_string(output) + ", where the loss '" + loss.name +
                    "' is taken of " + expected);
  };
  switch (loss.reads) {
    case LossReads::one_number_a_class:
      check(output == Shape{classes}, std::to_string(classes) + ", one number per class");
      break;
    case LossReads::features:
      check(output.size() == 1, "flat features");
      break;
    case LossReads::images:
      check(output == image, to_string(image) + ", as the images are");
      break;
    case LossReads::anything:
      break;
  }
}

bool are_classes(const torch::Tensor& labels) {
  return labels.scalar_type() == torch::kInt64;
}

torch::Tensor classes_of(const torch::Tensor& labels) {
  return are_classes(labels) ? labels : labels.argmax(1);
}

Loss loss_of_rows(
    const std::string& name, std::function<torch::Tensor(const torch::Tensor& output)> rows,
    std::function<torch::Tensor(const torch::Tensor& rows, const torch::Tensor& labels)> of_rows) {
  Loss loss;
  loss.name = name;
  loss.rows = std::move(rows);
  loss.of_rows = std::move(of_rows);
  loss.function = [read = loss.rows, compare = loss.of_rows](const torch::Tensor& output,
                                                             const Targets& targets) {
    return compare(read(output), targets.labels);
  };
  return loss;
}

torch::Tensor joint_loss(const Loss& loss, const torch::Tensor& output, const torch::Tensor& labels,
                         BatchPeers& peers) {
  const torch::Tensor own = loss.rows(output);
  const std::string what = "the samples that the loss '" + loss.name + "' compares";
  const auto all = peers.gather(own, what);
  const auto all_labels = peers.gather(labels, what);
  const std::int64_t end = all.first + own.size(0);
  const std::int64_t count = all.rows.size(0);
  // Gradients flow to this process's rows only: the other processes see to theirs.
  const torch::Tensor rows =
      torch::cat({all.rows.narrow(0, 0, all.first), own, all.rows.narrow(0, end, count - end)});
  const torch::Tensor value = loss.of_rows(rows, all_labels.rows);
  const double factor = static_cast<double>(count) / static_cast<double>(own.size(0));
  return value.detach() + (value - value.detach()) * factor;
}

LossPtr with_label_smoothing(const LossPtr& loss, double label_smoothing) {
  const bool takes_some = loss->label_smoothing == 0.0;
  return takes_some && label_smoothing > 0 ? cross_entropy(label_smoothing) : loss;
}

}  // namespace mlaan
