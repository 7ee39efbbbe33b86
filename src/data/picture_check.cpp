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

}  // namespace

PictureCheck check_pictures(const std::filesystem::path& folder, int threads,
                            const std::function<void(std::int64_t, std::int64_t)>& progress) {
  if (!std::filesystem::is_directory(folder)) {
    throw UserError("there is no folder " + folder.string() + " to check");
  }
  const auto files = picture_files(folder);
  if (files.empty()) {
    throw UserError("no pictures (" + picture_extensions_text() + ") in " + folder.string() +
                    " and the folders below it");
  }
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::int64_t done = 0;
  std::map<std::size_t, std::string> damaged;
  std::exception_ptr error;
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      std::string wrong;
      try {
        read_picture(files[i], all_of);
      } catch (const DamagedPicture& picture) {
        wrong = picture.what();
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        error = std::current_exception();
        next = files.size();
        return;
      }
      const std::lock_guard<std::mutex> lock(mutex);
      if (!wrong.empty()) damaged.emplace(i, wrong);
      ++done;
      if (progress) progress(done, static_cast<std::int64_t>(files.size()));
    }
  };
  JoinedThreads workers;
  try {
    for (int i = 1; i < threads; ++i) workers.start(work);
    work();
  } catch (...) {
    next = files.size();
    throw;
  }
  workers.join();
  if (error) std::rethrow_exception(error);
  PictureCheck check;
  check.pictures = done;
  for (auto& [place, wrong] : damaged) check.damaged.push_back(std::move(wrong));
  return check;
}

}  // namespace mlaan
