// Downloads over HTTP that can be interrupted and resumed.
#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/io/download.h>

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

/// The file to download to. Its size is the progress of the download.
class PartialFile {
 public:
  explicit PartialFile(fs::path path) : path_(std::move(path)) {
    constexpr int permissions = 0666;
    descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, permissions);
    if (descriptor_ < 0) {
      throw UserError("cannot write to " + path_.string() + ": " + std::strerror(errno));
    }
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      close(descriptor_);
      throw UserError("another process is downloading to " + path_.string());
    }
    size_ = lseek(descriptor_, 0, SEEK_END);
  }
  ~PartialFile() { close(descriptor_); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  std::int64_t size() const { return size_; }

  void clear() {
    if (ftruncate(descriptor_, 0) != 0) fail();
    size_ = lseek(descriptor_, 0, SEEK_SET);
  }

  /// \return 0, or errno.
  int append(const char* bytes, std::size_t count) {
    while (count > 0) {
      const ssize_t written = ::write(descriptor_, bytes, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return errno;
      bytes += written;
      count -= static_cast<std::size_t>(written);
      size_ += written;
    }
    return 0;
  }

  void to_disk() const {
    if (fsync(descriptor_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error("cannot write to " + path_.string() + ": " + std::strerror(errno));
  }

  fs::path path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

void start_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error("libcurl cannot be started");
}

/// One request for the rest of the file.
class Attempt {
 public:
  Attempt(const std::string& url, PartialFile& file, const DownloadOptions& options,
          const ByteObserver& observer)
      : file_(file), options_(options), observer_(observer), begun_at_(file.size()) {
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_USERAGENT, "mlaan");
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, 10L);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, 30L);
    // Gives up a connection that has sent nothing for 60 seconds.
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, 60L);
    set(CURLOPT_ERRORBUFFER, message_.data());
    set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(begun_at_));
    set(CURLOPT_WRITEFUNCTION, &Attempt::write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Attempt::progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  CURLcode perform() { return curl_easy_perform(handle_.get()); }

  long status() const {
    long code = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  std::string what(CURLcode code) const {
    if (write_error_ != 0) return std::strerror(write_error_);
    if (too_long_) {
      return "the server sends more than the " + format_count(options_.most_bytes) +
             " bytes that the file has";
    }
    return message_[0] != '\0' ? message_.data() : curl_easy_strerror(code);
  }

  /// Whether retrying is pointless.
  bool is_final(CURLcode code) const {
    if (write_error_ != 0 || too_long_) return true;
    switch (code) {
      case CURLE_UNSUPPORTED_PROTOCOL:
      case CURLE_URL_MALFORMAT:
      case CURLE_TOO_MANY_REDIRECTS:
      case CURLE_PEER_FAILED_VERIFICATION:
        return true;
      case CURLE_HTTP_RETURNED_ERROR:
        return status() < 500 && status() != 408 && status() != 429;
      default:
        return false;
    }
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    if (curl_easy_setopt(handle_.get(), option, value) != CURLE_OK) {
      throw Error("libcurl does not know an option that downloads need");
    }
  }

  static std::size_t write(char* bytes, std::size_t size, std::size_t count, void* self) {
    auto& attempt = *static_cast<Attempt*>(self);
    const auto more = static_cast<std::int64_t>(size * count);
    const std::int64_t most = attempt.options_.most_bytes;
    attempt.too_long_ = most > 0 && attempt.file_.size() + more > most;
    if (attempt.too_long_) return 0;
    attempt.write_error_ = attempt.file_.append(bytes, size * count);
    return attempt.write_error_ == 0 ? size * count : 0;
  }

  static int progress(void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
    const auto& attempt = *static_cast<const Attempt*>(self);
    const std::int64_t all = total > 0 ? attempt.begun_at_ + total : attempt.options_.most_bytes;
    return attempt.observer_(attempt.file_.size(), all) ? 0 : 1;
  }

  PartialFile& file_;
  const DownloadOptions& options_;
  const ByteObserver& observer_;
  std::int64_t begun_at_;
  int write_error_ = 0;
  bool too_long_ = false;
  std::array<char, CURL_ERROR_SIZE> message_{};
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_{curl_easy_init(), curl_easy_cleanup};
};

/// \return false if the observer stopped the download.
bool wait_for(std::chrono::milliseconds time, std::int64_t done, const ByteObserver& observer) {
  constexpr std::chrono::milliseconds step(50);
  for (std::chrono::milliseconds waited(0); waited < time; waited += step) {
    if (!observer(done, 0)) return false;
    std::this_thread::sleep_for(step);
  }
  return true;
}

/// HTTP status for a requested range that the file does not have.
constexpr long range_not_satisfiable = 416;

/// Whether the server refuses to send the file from an offset on.
bool is_refused_part(CURLcode code, long status, std::int64_t from) {
  return from > 0 && (code == CURLE_RANGE_ERROR || status == range_not_satisfiable);
}

}  // namespace

bool download(const std::string& url, const fs::path& path, const DownloadOptions& options,
              const ByteObserver& observer) {
  start_curl();
  PartialFile file(path);
  if (options.most_bytes > 0 && file.size() > options.most_bytes) file.clear();
  if (options.most_bytes > 0 && file.size() == options.most_bytes) return true;
  int fruitless = 0;
  std::int64_t farthest = file.size();
  std::chrono::milliseconds wait = options.wait;
  while (true) {
    const std::int64_t before = file.size();
    Attempt attempt(url, file, options, observer);
    const CURLcode code = attempt.perform();
    if (code == CURLE_OK && attempt.status() != range_not_satisfiable) break;
    if (code == CURLE_ABORTED_BY_CALLBACK) return false;
    if (file.size() > farthest) {
      farthest = file.size();
      fruitless = 0;
      wait = options.wait;
    }
    // If the server supports no ranges, the file is requested from the start, which is no progress.
    const bool refused = is_refused_part(code, attempt.status(), before);
    if (refused) file.clear();
    if (refused && fruitless < options.retries) {
      ++fruitless;
      continue;
    }
    if (attempt.is_final(code) || fruitless >= options.retries) {
      throw Error("cannot download " + url + ": " +
                  (refused ? "the server refuses to resume the download, and breaks off a full one"
                           : attempt.what(code)));
    }
    ++fruitless;
    if (!wait_for(wait, file.size(), observer)) return false;
    wait *= 2;
  }
  file.to_disk();
  return true;
}

}  // namespace mlaan
