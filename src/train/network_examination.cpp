// Examines a trained network: its worst mistakes, and the bytes of its training steps by operation.
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/network_examination.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <algorithm>

namespace mlaan {
namespace {

/// Keeps the misclassified pictures with the highest losses.
class WorstOnes {
 public:
  WorstOnes(Normalisation normalisation, std::size_t count)
      : normalisation_(std::move(normalisation)), count_(count) {}

  void add(const Batch& batch, const torch::Tensor& outputs) {
    const torch::Tensor logits = outputs.to(torch::kCPU, torch::kFloat64);
    const torch::Tensor labels = batch.labels.cpu();
    const torch::Tensor losses = -logits.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1);
    const auto [probabilities, guesses] = logits.softmax(1).max(1);
    for (std::int64_t i = 0; i < labels.size(0); ++i) {
      const auto label = labels[i].item<std::int64_t>();
      const auto guess = guesses[i].item<std::int64_t>();
      const auto loss = losses[i].item<double>();
      const bool full = worst_.size() >= count_;
      if (label == guess || (full && !(count_ > 0 && loss > worst_.back().loss))) continue;
      if (full) worst_.pop_back();
      WorstPicture picture{pixels(batch.images[i]), label, guess, probabilities[i].item<double>(),
                           loss};
      const auto place = std::upper_bound(
          worst_.begin(), worst_.end(), loss,
          [](double value, const WorstPicture& other) { return value > other.loss; });
      worst_.insert(place, std::move(picture));
    }
  }

  std::vector<WorstPicture> take() { return std::move(worst_); }

 private:
  /// The pixels of an input: undoes the normalisation.
  torch::Tensor pixels(const torch::Tensor& input) const {
    const auto channels = [](const std::vector<double>& values) {
      return torch::tensor(values).view({-1, 1, 1});
    };
    torch::Tensor shares = input.cpu();
    if (!normalisation_.mean.empty()) {
      shares = shares * channels(normalisation_.deviation) + channels(normalisation_.mean);
    }
    return (shares * 255).round().clamp(0, 255).to(torch::kUInt8);
  }

  Normalisation normalisation_;
  std::size_t count_;
  std::vector<WorstPicture> worst_;  ///< sorted, the highest loss first
};

}  // namespace

NetworkExamination examine_network(const Checkpoint& checkpoint, const Settings& settings,
                                   const DataSource& data, std::size_t count) {
  check_data(checkpoint, data);
  const torch::Device device = parse_device(settings.get<RunOptions>().device);
  const Backbone backbone = read_backbone(checkpoint, settings);
  backbone.to(device);
  WorstOnes worst(data.normalisation, count);
  const auto predict = [&](const torch::Tensor& images) {
    return std::vector<torch::Tensor>{backbone.forward(images.to(device))};
  };
  const auto loader = make_plain_loader(settings, data, data.test, all_indices(*data.test));
  NetworkExamination examination;
  examination.score =
      evaluate_outputs(predict, *loader, [&](const Batch& batch, const auto& outputs) {
        worst.add(batch, outputs.back());
      }).front();
  examination.worst = worst.take();
  return examination;
}

TrainingPhase longest_phase(const Checkpoint& checkpoint, const Settings& settings) {
  auto phases = phases_of(checkpoint, settings);
  return std::move(*std::max_element(phases.begin(), phases.end(),
                                     [](const TrainingPhase& left, const TrainingPhase& right) {
                                       return left.share() < right.share();
                                     }));
}

StepProfile profile_of_phase(const TrainingPhase& phase, const DataSource& data,
                             std::int64_t steps) {
  const Settings settings = with_faster_memory_format(phase.settings, data);
  const auto loader = make_train_loader(settings, data, all_indices(*data.train));
  loader->start(0);
  const Batch batch = *loader->next();
  const torch::Device device = parse_device(settings.get<RunOptions>().device);
  const torch::Tensor images = batch.images.to(device);
  const torch::Tensor labels = batch.labels.to(device);
  const auto before = measure::read_memory(device);
  Backbone backbone = make_backbone(settings, data);
  Plan plan = make_plan(settings, backbone, phase.method);
  Engine engine(std::move(backbone), std::move(plan), make_engine_options(settings));
  StepProfile profile = profile_step(engine, images, labels, steps, before.live);
  for (auto& operation : profile.operations) {
    for (std::size_t kind = 0; kind < operation.peak_by_kind.size(); ++kind) {
      operation.peak_by_kind.at(kind) -= before.live_by_kind.at(kind);
    }
  }
  profile.method = phase_text(settings.get<RunOptions>().method, phase);
  return profile;
}

}  // namespace mlaan
