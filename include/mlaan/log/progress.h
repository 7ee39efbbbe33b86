// Progress of a training run on the terminal.
#pragma once

#include <mlaan/train/observer.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace mlaan {

/// Writes to a stream: on a terminal one line with a bar, which is updated in place; otherwise a
/// plain line every ten seconds. In both cases each epoch adds one line that stays.
class Progress final : public TrainObserver {
 public:
  /// \param stream for example stderr.
  /// \param quiet write nothing but messages about skipped pictures.
  Progress(std::FILE* stream, bool quiet);

  void on_start(const RunReport& report) override;
  void on_steps(const StepReport& report) override;
  void on_progress(const StepReport& report) override { on_steps(report); }
  void on_epoch(const EpochReport& report) override;
  void on_phase(const PhaseReport& phase) override;
  void on_skipped(const std::string& what) override;
  void on_note(const std::string& note) override;
  void on_end() override;

 private:
  void clear_line();

  std::FILE* stream_;
  bool quiet_;
  bool terminal_;
  bool line_open_ = false;
  RunReport run_;
  std::chrono::steady_clock::time_point last_line_;
};

}  // namespace mlaan
