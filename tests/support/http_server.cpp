#include "support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

namespace mlaan::testing {

HttpServer::HttpServer(ServedFiles files) : HttpServer(std::move(files), Behaviour{}) {}

HttpServer::HttpServer(ServedFiles files, Behaviour behaviour)
    : files_(std::move(files)), behaviour_(behaviour) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, general, length) != 0 || listen(listener_, 8) != 0 ||
      getsockname(listener_, general, &length) != 0) {
    throw std::runtime_error("cannot serve on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HttpServer::~HttpServer() {
  closing_ = true;
  thread_.join();
  close(listener_);
}

std::string HttpServer::address() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/";
}

std::vector<std::string> HttpServer::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void HttpServer::serve() {
  while (!closing_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 50) <= 0) continue;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    answer(connection);
    close(connection);
  }
}

void HttpServer::answer(int connection) {
  std::string request;
  std::array<char, 4096> buffer{};
  while (request.find("\r\n\r\n") == std::string::npos && !closing_) {
    pollfd waiting{connection, POLLIN, 0};
    if (poll(&waiting, 1, 50) <= 0) continue;
    const ssize_t got = recv(connection, buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    request.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const auto send_all = [&](const char* bytes, std::size_t count) {
    while (count > 0 && !closing_) {
      const ssize_t sent = send(connection, bytes, count, MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes += sent;
      count -= static_cast<std::size_t>(sent);
    }
  };
  const std::string name = request.substr(5, request.find(' ', 5) - 5);  // behind "GET /"
  std::size_t first = 0;
  const std::size_t range = request.find("Range: bytes=");
  if (range != std::string::npos && behaviour_.gives_parts)
    first = std::stoul(request.substr(range + 13));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    requests_.push_back(name + " from " + std::to_string(first));
  }
  if (range != std::string::npos && behaviour_.refuses_parts) {
    const std::string head =
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    send_all(head.data(), head.size());
    return;
  }
  const auto found = files_.find(name);
  if (found == files_.end()) {
    const std::string head =
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    send_all(head.data(), head.size());
    return;
  }
  const std::string& file = found->second;
  first = std::min(first, file.size());
  std::string head = first > 0 ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " +
                                     std::to_string(first) + "-" + std::to_string(file.size() - 1) +
                                     "/" + std::to_string(file.size()) + "\r\n"
                               : "HTTP/1.1 200 OK\r\n";
  head +=
      "Content-Length: " + std::to_string(file.size() - first) + "\r\nConnection: close\r\n\r\n";
  send_all(head.data(), head.size());
  std::size_t count = file.size() - first;
  if (behaviour_.cuts > 0) {
    --behaviour_.cuts;
    count = std::min(count, static_cast<std::size_t>(behaviour_.cut_after));
  }
  if (!behaviour_.slow) return send_all(file.data() + first, count);
  for (std::size_t sent = 0; sent < count && !closing_; sent += 100) {
    send_all(file.data() + first + sent, std::min<std::size_t>(100, count - sent));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace mlaan::testing
