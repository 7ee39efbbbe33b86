// Methods composed of a host and additions.
#include <mlaan/local/method.h>

#include <set>
#include <sstream>

namespace mlaan {
namespace {

std::string host_names() {
  std::string names;
  for (const auto& entry : method_registry().entries()) {
    if (entry.host) names += (names.empty() ? "" : ", ") + entry.name;
  }
  return names;
}

}  // namespace

MethodEntry host_entry(
    std::string name, std::string summary, std::function<void(OptionSet& options)> declare,
    std::function<LocalMethod(const Backbone& backbone, const Partition& partition,
                              const OptionSet& options)>
        make) {
  MethodEntry entry{std::move(name), std::move(summary), std::move(declare), nullptr};
  entry.plan = [make](const Backbone& backbone, const Partition& partition,
                      const OptionSet& options, std::uint64_t seed) {
    return make_plan(make(backbone, partition, options), backbone, seed);
  };
  entry.host = std::move(make);
  return entry;
}

MethodEntry composed_entry(std::string name, std::string summary, const MethodEntry& host,
                           const std::vector<AdditionEntry>& additions) {
  if (!host.host) {
    throw UserError(
        name + ": " + host.name +
        " is not a host, since it has no nets of its own at the end of each module; hosts: " +
        host_names());
  }
  const auto declare = [host, additions](OptionSet& options) {
    host.declare(options);
    for (const auto& addition : additions) addition.declare(options);
  };
  const auto make = [host, additions](const Backbone& backbone, const Partition& partition,
                                      const OptionSet& options) {
    LocalMethod method = host.host(backbone, partition, options);
    for (const auto& addition : additions) addition.add(method, backbone, options);
    return method;
  };
  MethodEntry entry = host_entry(std::move(name), std::move(summary), declare, make);
  entry.host = nullptr;
  return entry;
}

MethodEntry find_method(const std::string& name) {
  if (name == "auto") return method_registry().at(default_method());
  if (name.find('+') == std::string::npos) return method_registry().at(name);
  std::istringstream stream(name);
  std::string part;
  std::getline(stream, part, '+');
  const MethodEntry& host = method_registry().at(part);
  std::vector<AdditionEntry> additions;
  std::set<std::string> named;
  while (std::getline(stream, part, '+')) {
    additions.push_back(addition_registry().at(part));
    if (!named.insert(part).second) throw UserError(name + ": " + part + " is named twice");
  }
  if (additions.empty()) throw UserError(name + ": nothing follows the '+'");
  std::string summary = host.summary;
  for (const auto& addition : additions) summary += ", with " + addition.summary;
  return composed_entry(name, summary, host, additions);
}

}  // namespace mlaan
