// What a training step is made of: operations, each of which says what it reads and what it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace mlaan {

struct Execution;

/// What an operation is for.
enum class Activity : std::uint8_t { forward, supervise, recompute, backward, update, transfer };

/// "forward", "supervise", …
std::string to_string(Activity activity);

/// Something that one operation leaves for another. Random draws are none: every operation that
/// draws sets its own stream first.
struct Resource {
  enum class Kind : std::uint8_t {
    output,             ///< of module `owner`
    activations,        ///< of module `owner`, with its running statistics
    cotangents,         ///< that wait at the output of module `owner`
    trunk,              ///< net `net` as run on the output of module `owner`, with its cotangents
    module_parameters,  ///< of module `owner`
    module_gradients,   ///< of module `owner`
    net_parameters,     ///< of net `net`
    net_gradients,      ///< of net `net`, with its running statistics
  };
  Kind kind;
  std::size_t owner = 0;
  std::size_t net = 0;  ///< in the order of nets(plan)

  friend bool operator==(const Resource& left, const Resource& right) {
    return left.key() == right.key();
  }
  friend bool operator<(const Resource& left, const Resource& right) {
    return left.key() < right.key();
  }

 private:
  std::tuple<Kind, std::size_t, std::size_t> key() const { return {kind, owner, net}; }
};

/// What an operation reads, and what it writes or adds to.
struct Access {
  std::vector<Resource> reads;
  std::vector<Resource> writes;
};

/// One piece of a training step. Its whole meaning - what it computes, what that depends on, how it
/// is called - is in its own file, in local/operations/.
class Operation {
 public:
  virtual ~Operation() = default;

  virtual void execute(Execution& execution) const = 0;
  virtual Access access() const = 0;
  /// For people, modules, nets and groups counted from 1: "backward 2 from group 1: input".
  virtual std::string text() const = 0;
  /// The evaluation, of the schedule's, without which it does nothing: where chance leaves that out
  /// of a step. None: it always takes place.
  virtual std::optional<std::size_t> evaluation() const { return {}; }

  Activity activity() const { return activity_; }
  /// The module that it is about: for a net's, the one whose output the net reads.
  std::size_t module() const { return module_; }

 protected:
  Operation(Activity activity, std::size_t module) : activity_(activity), module_(module) {}
  Operation(const Operation&) = default;
  Operation& operator=(const Operation&) = default;

 private:
  Activity activity_;
  std::size_t module_;
};

using OperationPtr = std::shared_ptr<const Operation>;

/// For each operation of a list, those before it that it has to wait for: it reads what they write,
/// or writes what they read or write.
std::vector<std::vector<std::size_t>> dependencies(const std::vector<OperationPtr>& operations);

}  // namespace mlaan
