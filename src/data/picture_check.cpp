// Reads every picture in a folder to find those that cannot be read.
#include "core/joined_threads.h"
#include "data/picture_files.h"

#include <mlaan/core/error.h>
#include <mlaan/data/picture.h>
#include <mlaan/data/picture_check.h>

#include <atomic>
#include <exception>
#include <map>
#include <mutex>

namespace mlaan {
namespace {

/// A frame of the whole picture, scaled down if it is too large to be decoded in full size.
Frame all_of(std::int64_t width, std::int64_t height) {
  Frame frame = whole_frame(width, height);
  if (width > most_pixels / height) {
    constexpr std::int64_t reduction = 8;
    frame.width = std::max<std::int64_t>(1, width / reduction);
    frame.height = std::max<std::int64_t>(1, height / reduction);
  }
  return frame;
}

/// A list of files that several threads check; each thread takes the next file that none has taken.
class SharedCheck {
 public:
  SharedCheck(std::vector<std::filesystem::path> files,
              std::function<void(std::int64_t, std::int64_t)> progress)
      : files_(std::move(files)), progress_(std::move(progress)) {}

  /// Checks files until none is left. An exception ends the work of all threads.
  void work() {
    for (std::size_t i = next_++; i < files_.size(); i = next_++) {
      std::string wrong;
      try {
        read_picture(files_[i], all_of);
      } catch (const DamagedPicture& picture) {
        wrong = picture.what();
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex_);
        error_ = std::current_exception();
        stop();
        return;
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!wrong.empty()) damaged_.emplace(i, wrong);
      ++done_;
      if (progress_) progress_(done_, static_cast<std::int64_t>(files_.size()));
    }
  }

  void stop() { next_ = files_.size(); }

  /// To be called once all threads have ended. Rethrows an exception of any of them.
  PictureCheck result() const {
    if (error_) std::rethrow_exception(error_);
    PictureCheck check;
    check.pictures = done_;
    for (const auto& [place, wrong] : damaged_) check.damaged.push_back(wrong);
    return check;
  }

 private:
  std::vector<std::filesystem::path> files_;
  std::function<void(std::int64_t, std::int64_t)> progress_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::int64_t done_ = 0;
  std::map<std::size_t, std::string> damaged_;  ///< messages by the file's index
  std::exception_ptr error_;
};

}  // namespace

PictureCheck check_pictures(const std::filesystem::path& folder, int threads,
                            const std::function<void(std::int64_t, std::int64_t)>& progress) {
  if (!std::filesystem::is_directory(folder)) {
    throw UserError("there is no folder " + folder.string() + " to check");
  }
  auto files = picture_files(folder);
  if (files.empty()) {
    throw UserError("no pictures (" + picture_extensions_text() + ") in " + folder.string() +
                    " and the folders below it");
  }
  SharedCheck check(std::move(files), progress);
  JoinedThreads workers;
  try {
    for (int i = 1; i < threads; ++i) workers.start([&check] { check.work(); });
    check.work();
  } catch (...) {
    check.stop();
    throw;
  }
  workers.join();
  return check.result();
}

}  // namespace mlaan
