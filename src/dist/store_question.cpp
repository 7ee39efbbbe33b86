// Requests to a store that may never answer, because the machine that serves it is gone.
#include "dist/store_question.h"

#include "measure/timing.h"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace mlaan {
namespace {

constexpr std::chrono::milliseconds between_questions(20);

/// State shared by the asking thread and the thread that waits for it.
struct Asking {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> answer;
  bool has_failed = false;
  bool is_given_up = false;
  Clock::time_point asked_at = Clock::now();

  bool is_over() const { return answer || has_failed; }
};

void keep_asking(Asking& asking, const std::function<std::optional<std::string>()>& ask) {
  std::unique_lock<std::mutex> lock(asking.mutex);
  while (!asking.is_over() && !asking.is_given_up) {
    asking.asked_at = Clock::now();
    lock.unlock();
    std::optional<std::string> answer;
    bool has_failed = false;
    try {
      answer = ask();
    } catch (const std::exception&) {
      has_failed = true;
    }
    lock.lock();
    asking.asked_at = Clock::now();
    asking.answer = answer;
    asking.has_failed = has_failed;
    asking.changed.notify_all();
    if (!asking.is_over()) asking.changed.wait_for(lock, between_questions);
  }
}

}  // namespace

std::optional<std::string> ask_until_answered(
    const std::function<std::optional<std::string>()>& ask, std::chrono::milliseconds longest) {
  const auto asking = std::make_shared<Asking>();
  std::thread([asking, ask] { keep_asking(*asking, ask); }).detach();
  std::unique_lock<std::mutex> lock(asking->mutex);
  while (!asking->is_over() && Clock::now() - asking->asked_at < longest) {
    asking->changed.wait_for(lock, between_questions);
  }
  asking->is_given_up = true;
  return asking->answer;
}

std::optional<std::string> ask_once(const std::function<std::string()>& ask,
                                    std::chrono::milliseconds longest) {
  return ask_until_answered([ask] { return std::optional<std::string>(ask()); }, longest);
}

}  // namespace mlaan
