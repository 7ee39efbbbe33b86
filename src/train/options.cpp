// The options of a training run and their defaults.
#include "train/readable_by.h"

#include <mlaan/core/error.h>
#include <mlaan/data/dataset.h>
#include <mlaan/data/random_augment.h>
#include <mlaan/local/method.h>
#include <mlaan/train/learning_rate.h>
#include <mlaan/train/options.h>

namespace mlaan {
namespace {

Accepts period() {
  return readable_by(Period::parse,
                     "a number and its unit: 1e (epochs), 200i (steps) or 10m (minutes)");
}

Accepts duration() {
  return readable_by(
      [](const std::string& text) {
        if (!text.empty()) parse_duration(text);
      },
      "a time: 90s, 30m, 1h30m, 2d or HH:MM:SS");
}

Accepts quantity_of_bytes() {
  return readable_by(
      [](const std::string& text) {
        if (!text.empty()) parse_bytes(text);
      },
      "a number of bytes and its unit: 6GiB, 500MiB, 1.5GB");
}

}  // namespace

namespace {

void describe_network(FieldList& fields, RunOptions& run) {
  fields.add("dataset", run.dataset, "data set to train on; see `mlaan info datasets`");
  fields.add("data", run.data, "folder with the data set's files");
  fields.add("model", run.model,
             "backbone; see `mlaan info models`; or a TorchScript file, NAME.pt");
  fields.add("weights", run.weights,
             "safetensors file with the backbone's weights to start from; empty: random ones");
  fields.add("weights_head", run.weights_head,
             "what that file gives the head: load, its weights; fresh, nothing, for classes of "
             "one's own",
             one_of({"load", "fresh"}));
  fields.add("drop_path", run.drop_path,
             "stochastic depth: share of the samples that the last block's branch is left out for "
             "in training, less towards the first block's 0; -1: as the model is published, 0.1 "
             "for ConvNeXt, else 0",
             Accepts{[](const OptionValue& value) {
                       const auto* share = std::get_if<double>(&value);
                       return share != nullptr && ((*share >= 0 && *share < 1) || *share == -1);
                     },
                     "at least 0 and below 1, or -1"});
  fields.add(
      "method", run.method,
      "training method; see `mlaan info methods`; auto: the one that gives the most for its bytes");
  fields.add("modules", run.modules,
             "modules K to cut the backbone into; 0: as the method asks, else one block a module",
             count_from(0));
  fields.add("partition", run.partition,
             "where to cut: default, as the method asks, else published; published, as in the "
             "papers where they say, else uniform; uniform, by number of units; bytes, by their "
             "activations; multiply-adds, by their work; or after "
             "these units, for example layer1.2,layer2.1");
}

void describe_course(FieldList& fields, RunOptions& run) {
  fields.add("epochs", run.epochs, "passes over the training images", count_from(1));
  fields.add("batch_size", run.batch_size, "images a step", count_from(1));
  fields.add("lr", run.lr, "learning rate at its highest", above(0));
  fields.add("seed", run.seed, "decides initial weights, split, order, augmentation and dropout");
  fields.add("device", run.device, "where to train: cpu, cuda or cuda:N");
  fields.add("train_limit", run.train_limit,
             "train on at most so many images, the first after the seeded shuffle; 0: all",
             count_from(0));
  fields.add("workers", run.workers, "threads that prepare batches; 0: the training thread itself",
             between(0, 256));
  fields.add("threads", run.threads, "threads of LibTorch's kernels; 0: one for each processor",
             between(0, 1024));
  fields.add(
      "memory", run.memory,
      "bytes that training may take, such as 6GiB: modules, partition, recomputation and "
      "micro-batches are then chosen to fit, in the least time; empty: as the other settings "
      "say",
      quantity_of_bytes());
  fields.add("output", run.output,
             "folder of the run: settings, logs, checkpoints; empty: runs/DATASET-MODEL-METHOD");
  fields.add("baseline", run.baseline,
             "method to train as well, on the same data, for the closing table; empty: none");
}

}  // namespace

void RunOptions::describe(FieldList& fields) {
  describe_network(fields, *this);
  describe_course(fields, *this);
}

namespace {

Accepts number_where(bool (*accepts)(double), const std::string& accepted) {
  return {[accepts](const OptionValue& value) {
            const auto* number = std::get_if<double>(&value);
            return number != nullptr && accepts(*number);
          },
          accepted};
}

}  // namespace

void OptimizerOptions::describe(FieldList& fields) {
  fields.add("type", type,
             "stochastic gradient descent, Adam, Adam with weight decay beside the gradient, or "
             "LAMB, for large batches; for all but the first an lr of about 1e-3 is usual",
             one_of({"sgd", "adam", "adamw", "lamb"}));
  fields.add("momentum", momentum, "momentum of stochastic gradient descent", between(0, 1));
  fields.add("nesterov", nesterov, "Nesterov's momentum, of stochastic gradient descent");
  const auto decay_rate =
      number_where([](double rate) { return rate >= 0 && rate < 1; }, "at least 0, below 1");
  fields.add("beta1", beta1, "how slowly Adam's mean of gradients moves", decay_rate);
  fields.add("beta2", beta2, "how slowly Adam's mean of squared gradients moves", decay_rate);
  fields.add("epsilon", epsilon, "what Adam adds to the root of the mean square", above(0));
  fields.add(
      "weight_decay", weight_decay,
      "factor of all parameters that is taken off them; -1: 1e-4 for sgd, 0 for adam, 0.05 "
      "for adamw, 0.01 for lamb",
      number_where([](double factor) { return factor >= 0 || factor == -1; }, "at least 0, or -1"));
  fields.add("decay_norms", decay_norms,
             "weight decay of biases and of normalisations' parameters too, as the papers' codes "
             "have it; false: of other weights alone, as timm has it");
  fields.add(
      "layer_decay", layer_decay,
      "factor on the learning rate from each unit to the one before it, the head's being 1; "
      "an auxiliary net has that of the unit it reads",
      number_where([](double factor) { return factor > 0 && factor <= 1; }, "above 0, 1 at most"));
  fields.add("clip_grad", clip_grad,
             "highest norm of a gradient: of each module's and each auxiliary net's by itself, for "
             "under isolation there is no norm of all; where one window spans all modules, of all "
             "together; 0: any",
             at_least(0));
  fields.add("state", state,
             "how sgd, adam and adamw keep their moments: float32, or 8bit, large weights' in a "
             "byte each, rounded",
             one_of({"float32", "8bit"}));
  fields.add("net_lr", net_lr,
             "factor on the learning rate of auxiliary nets; the backbone's own head is none",
             above(0));
}

void ScheduleOptions::describe(FieldList& fields) {
  fields.add(
      "type", type,
      "cosine (by step), epoch (cosine by epoch, as in the published code), steps (lower from "
      "each milestone on), plateau (lower after epochs without progress on validation), onecycle "
      "(up to lr, then down) or constant",
      one_of({"cosine", "epoch", "steps", "plateau", "onecycle", "constant"}));
  fields.add("warmup_epochs", warmup_epochs,
             "length of the linear warm-up, which onecycle does without; -1: a sixteenth of the "
             "epochs, 10 at most",
             count_from(-1));
  fields.add("warmup_lr", warmup_lr, "learning rate that the warm-up begins with, lr at most",
             at_least(0));
  fields.add("milestones", milestones,
             "of \"steps\": shares of the training after which the rate is lowered",
             readable_by(parse_milestones, "shares from 0 to 1, separated by commas"));
  fields.add("factor", factor,
             "of \"steps\" and \"plateau\": what each milestone, or each plateau, multiplies the "
             "rate by",
             between(0, 1));
  fields.add("min_lr", min_lr, "of \"cosine\", \"epoch\" and \"plateau\": lowest rate, lr at most",
             at_least(0));
  fields.add("monitor", monitor, "of \"plateau\": what of the validation has to fall",
             one_of({"loss", "error"}));
  fields.add("patience_epochs", patience_epochs,
             "of \"plateau\": epochs in a row without progress that do not lower the rate yet",
             count_from(0));
  fields.add("threshold", threshold,
             "of \"plateau\": share of the lowest value so far that another must be below it by",
             between(0, 1));
  fields.add("cooldown_epochs", cooldown_epochs,
             "of \"plateau\": epochs that are not counted after the rate was lowered",
             count_from(0));
  fields.add("peak", peak, "of \"onecycle\": share of the steps in which the rate rises",
             between(0, 1));
  fields.add("initial_divisor", initial_divisor,
             "of \"onecycle\": what lr is divided by for the rate of the first step", at_least(1));
  fields.add("final_divisor", final_divisor,
             "of \"onecycle\": what the first step's rate is divided by for that of the last",
             at_least(1));
}

namespace {

void describe_crops_and_colours(FieldList& fields, AugmentOptions& augment) {
  fields.add("enabled", augment.enabled,
             "augment training images and their labels; false: nothing of this");
  fields.add("crop", augment.crop,
             "random crops: resized, of any place, size and proportions, brought to the picture's "
             "size; padded, of the picture's size after padding; none; default: as is usual for "
             "the data set",
             one_of({"default", "resized", "padded", "none"}));
  fields.add("smallest_area", augment.smallest_area,
             "least area of a resized crop, as a share of the picture's", between(0.001, 1));
  fields.add(
      "widest_ratio", augment.widest_ratio,
      "largest ratio of a resized crop's width to its height, and of its height to its width",
      between(1, 100));
  fields.add("padding", augment.padding,
             "pixels to pad before a padded crop; -1: as is usual for the data set",
             between(-1, 4096));
  fields.add("flip", augment.flip, "random horizontal flips; default: as is usual for the data set",
             one_of({"default", "on", "off"}));
  fields.add("brightness", augment.brightness,
             "colour jitter: how far a random factor of the brightness is from 1, at most",
             between(0, 1000));
  fields.add("contrast", augment.contrast, "the same for the contrast", between(0, 1000));
  fields.add("saturation", augment.saturation, "the same for the saturation", between(0, 1000));
  fields.add("hue", augment.hue,
             "colour jitter: largest random turn of the hue, as a share of a full turn",
             between(0, 0.5));
}

void describe_strong_augmentation(FieldList& fields, AugmentOptions& augment) {
  fields.add("random_augment", augment.random_augment,
             "RandAugment: operations drawn for each image, one after the other; 0: none",
             between(0, 14));
  fields.add("magnitude", augment.magnitude, "RandAugment: how strong its operations are",
             between(0, static_cast<double>(highest_magnitude)));
  fields.add("erase", augment.erase, "random erasing: probability that a rectangle is written over",
             between(0, 1));
  fields.add("erase_with", augment.erase_with,
             "what is written over it: zero, the data set's mean colour, or noise",
             one_of({"zero", "noise"}));
  fields.add("mixup", augment.mixup,
             "mixup: parameter alpha of the beta distribution of shares; 0: no mixup",
             between(0, 1000));
  fields.add("cutmix", augment.cutmix, "CutMix: the same; 0: no CutMix", between(0, 1000));
  fields.add("mix_probability", augment.mix_probability,
             "share of the batches that mixup or CutMix is applied to", between(0, 1));
  fields.add("mix_switch_probability", augment.mix_switch_probability,
             "where both are on, share of the mixed batches that CutMix is applied to",
             between(0, 1));
  fields.add("mix_off_epoch", augment.mix_off_epoch,
             "epochs after which images are mixed no more; 0: mix to the end", count_from(0));
  fields.add(
      "label_smoothing", augment.label_smoothing,
      "share of the target that training's cross-entropy spreads evenly over all classes, in "
      "every supervision",
      between(0, 1));
}

}  // namespace

void AugmentOptions::describe(FieldList& fields) {
  describe_crops_and_colours(fields, *this);
  describe_strong_augmentation(fields, *this);
}

void LimitOptions::describe(FieldList& fields) {
  fields.add("steps", steps,
             "optimizer steps after which the training ends if it has not by then; schedule and "
             "phases are laid over the shorter of these and the epochs; 0: no limit",
             count_from(0));
  fields.add("time", time,
             "time after which this process ends the training, validates and tests: 90s, 30m, "
             "1h30m, 2d, or HH:MM:SS; empty: no limit",
             duration());
  fields.add(
      "train_batches", train_batches,
      "train on at most so many batches an epoch, others in each as the images are shuffled; "
      "0: on all",
      count_from(0));
  fields.add("validation_batches", validation_batches,
             "validate on at most so many batches; 0: on all images held out", count_from(0));
  fields.add("test_batches", test_batches,
             "test on at most so many batches, of images evenly spread over the test set; 0: on "
             "all of it",
             count_from(0));
  fields.add("overfit_batches", overfit_batches,
             "train on so many batches of images only, and validate on the same ones, to see "
             "whether a network can learn them by heart; 0: off",
             count_from(0));
}

void EarlyStoppingOptions::describe(FieldList& fields) {
  fields.add("patience", patience,
             "end the training after so many epochs without a lower validation error; 0: never",
             count_from(0));
  fields.add("min_delta", min_delta,
             "percentage points that a validation error must be lower by to count as lower",
             at_least(0));
}

void WeightAverageOptions::describe(FieldList& fields) {
  fields.add(
      "enabled", enabled,
      "keep a moving average of the network's weights, and validate and test it beside them");
  fields.add("decay", decay, "share of the average that a step keeps", between(0, 1));
  fields.add("warmup", warmup, "let the decay grow to that from 0, as 1 - (1 + step)^(-2/3)");
  fields.add("use", use,
             "take the average instead of the weights where a run's network is tested, analysed or "
             "asked: eval, analyze, predict");
}

void TeacherOptions::describe(FieldList& fields) {
  fields.add(
      "share", share,
      "share, at the end of the training, of the labels that the network's own probabilities "
      "of the epoch before have for each image; 0: none",
      between(0, 1));
  fields.add("from", from, "share of the training after which that begins to grow from 0",
             between(0, 1));
  fields.add("of", of,
             "whose labels: all, of auxiliary nets and the network's own head; nets, of auxiliary "
             "nets alone",
             one_of({"all", "nets"}));
}

void ValidationOptions::describe(FieldList& fields) {
  fields.add("fraction", fraction, "share of the training images to hold out for validation",
             between(0, 0.9));
  fields.add("report", report,
             "weights to test at the end: those of the last epoch, or of the best on validation",
             one_of({"last", "best"}));
  fields.add("tta", tta,
             "augmentation at test time, of eval, predict and a run's final test: flip averages "
             "the logits over each picture and its mirror image",
             one_of({"none", "flip"}));
}

void SaveOptions::describe(FieldList& fields) {
  fields.add("every", every, "how often to write a checkpoint", period());
  fields.add("keep", keep, "checkpoints of past epochs to keep beside the last and the best",
             count_from(0));
}

void LogOptions::describe(FieldList& fields) {
  fields.add("steps", steps, "steps from one line of steps.jsonl to the next", count_from(1));
  fields.add("tensorboard", tensorboard,
             "write TensorBoard's event files too, into the run's folder tensorboard/");
}

void declare_all(OptionSet& options) {
  options.get<RunOptions>();
  options.get<OptimizerOptions>();
  options.get<ScheduleOptions>();
  options.get<AugmentOptions>();
  options.get<LimitOptions>();
  options.get<EarlyStoppingOptions>();
  options.get<WeightAverageOptions>();
  options.get<TeacherOptions>();
  options.get<ValidationOptions>();
  options.get<ExecutionOptions>();
  options.get<DistOptions>();
  options.get<SaveOptions>();
  options.get<LogOptions>();
  for (const auto& method : method_registry().entries()) method.declare(options);
  for (const auto& dataset : dataset_registry().entries()) dataset.declare(options);
}

}  // namespace mlaan
