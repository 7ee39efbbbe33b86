// The operations of a training step, each with the resources that it reads and writes.
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

/// The purpose of an operation.
enum class Activity : std::uint8_t { forward, supervise, recompute, backward, update, transfer };

/// "forward", "supervise", …
std::string to_string(Activity activity);

/// State through which operations depend on each other. Random generators are not resources: each
/// operation that draws random numbers seeds its own stream first.
struct Resource {
  enum class Kind : std::uint8_t {
    output,             ///< of module `owner`
    activations,        ///< of module `owner`, together with its running statistics
    cotangents,         ///< waiting at the output of module `owner`
    trunk,              ///< output of net `net` on that of module `owner`, with its cotangents
    module_parameters,  ///< of module `owner`
    module_gradients,   ///< of module `owner`
    net_parameters,     ///< of net `net`
    net_gradients,      ///< of net `net`, together with its running statistics
  };
  Kind kind;
  std::size_t owner = 0;
  std::size_t net = 0;  ///< index in nets(plan)

  friend bool operator==(const Resource& left, const Resource& right) {
    return left.key() == right.key();
  }
  friend bool operator<(const Resource& left, const Resource& right) {
    return left.key() < right.key();
  }

 private:
  std::tuple<Kind, std::size_t, std::size_t> key() const { return {kind, owner, net}; }
};

/// The resources that an operation reads, and those that it writes or adds to.
struct Access {
  std::vector<Resource> reads;
  std::vector<Resource> writes;
};

/// One operation of a training step. Its own file in local/operations/ defines everything about it:
/// what it computes, what that depends on, and its text.
class Operation {
 public:
  virtual ~Operation() = default;

  virtual void execute(Execution& execution) const = 0;
  virtual Access access() const = 0;
  /// Text for users, with modules, nets and groups counted from 1:
  /// "backward 2 from group 1: input".
  virtual std::string text() const = 0;
  /// Index in the schedule's evaluations. The operation does nothing in a step that leaves this
  /// evaluation out at random. nullopt: the operation always runs.
  virtual std::optional<std::size_t> evaluation() const { return {}; }

  Activity activity() const { return activity_; }
  /// The module that the operation concerns; for a net, the module whose output the net reads.
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

/// For each operation of a list, the earlier operations that it has to wait for, because it reads
/// what they write, or writes what they read or write.
std::vector<std::vector<std::size_t>> dependencies(const std::vector<OperationPtr>& operations);

}  // namespace mlaan
