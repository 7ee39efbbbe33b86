// The learning rate as a function of time.
#pragma once

#include <mlaan/train/options.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// A moment of the training.
struct TrainingTime {
  std::int64_t step = 0;  ///< steps done
  std::int64_t steps_per_epoch = 1;
  double epochs = 1;          ///< in all; a fraction if a limit on steps ends the last one early
  std::int64_t plateaus = 0;  ///< number so far that have lowered the rate (see Plateau)
};

/// Parses shares of the training, separated by commas, each from 0 to 1.
/// \throws UserError for any other text.
std::vector<double> parse_milestones(const std::string& text);

/// The learning rate of the next step. With E epochs in all and base rate lr:
///
/// - "cosine": c(t) = m + ½·(lr − m)·(1 + cos(π·t)), t the share of all steps that are done and m
///   the schedule's min_lr;
/// - "epoch": c(e) = m + ½·(lr − m)·(1 + cos(π·e/E)) in epoch e = 1 … E, so m in the last, as in
///   the code of InfoPro (ICLR 2021) and its successors, where m is 0;
/// - "steps": c = lr·f^n, f the schedule's factor and n the number of its milestones that have been
///   reached, as shares of all steps;
/// - "plateau": c = lr·f^n, n the number of plateaus so far, but not below m;
/// - "onecycle": from lr/initial_divisor in the first step up to lr and down to
///   lr/(initial_divisor·final_divisor) in the last, each along half a period of a cosine, as
///   PyTorch's OneCycleLR (Smith and Topin 2018, arXiv:1708.07120); without warm-up;
/// - "constant": c = lr.
///
/// During the warm-up of W epochs the rate is a mixture of c and warmup_lr, in which the share of c
/// grows linearly from 0: by step, or for "epoch" by epoch, (e−1)/W.
double learning_rate(const TrainingTime& time, double lr, const ScheduleOptions& schedule);

}  // namespace mlaan
