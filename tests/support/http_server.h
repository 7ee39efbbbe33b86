// A small HTTP server for tests of downloads.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mlaan::testing {

/// Content by name.
using ServedFiles = std::map<std::string, std::string>;

/// Serves files from memory on a port of 127.0.0.1, one request at a time.
class HttpServer {
 public:
  /// What a server may do wrong.
  struct Behaviour {
    bool gives_parts = true;      ///< answers requests for a range of bytes
    std::int64_t cut_after = -1;  ///< closes the connection after so many bytes of a file
    int cuts = 0;                 ///< so many times, then no more
    bool slow = false;            ///< sends a few bytes at a time, for ever so long
    bool refuses_parts = false;   ///< answers requests for a range by 416
  };

  explicit HttpServer(ServedFiles files);
  HttpServer(ServedFiles files, Behaviour behaviour);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "http://127.0.0.1:PORT/".
  std::string address() const;
  /// First bytes that the requests so far asked for, in order: "NAME from BYTE".
  std::vector<std::string> requests() const;

 private:
  void serve();
  void answer(int connection);

  ServedFiles files_;
  Behaviour behaviour_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> closing_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace mlaan::testing
