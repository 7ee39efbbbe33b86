// ProcessGroup in a build without LibTorch's c10d: every call throws and says why.
#include <mlaan/dist/process_group.h>

namespace mlaan {
namespace {

[[noreturn]] void refuse() {
  throw UserError(
      "this build of mlaan trains in one process only; for more, build it with "
      "-DMLAAN_WITH_DISTRIBUTED=ON and the headers of the Gloo that LibTorch was built with "
      "(Debian: libgloo-dev)");
}

}  // namespace

class ProcessGroup::Implementation {};

ProcessGroup::ProcessGroup(const RankEnvironment& /*place*/, double /*timeout_seconds*/) {
  refuse();
}
ProcessGroup::~ProcessGroup() = default;

const RankEnvironment& ProcessGroup::place() const {
  refuse();
}
const std::string& ProcessGroup::host() const {
  refuse();
}
std::string ProcessGroup::name_of(int /*rank*/) const {
  refuse();
}
void ProcessGroup::wait_for_first(const std::function<void()>& /*work*/,
                                  const std::string& /*what*/) {
  refuse();
}
Traffic ProcessGroup::traffic() const {
  refuse();
}
std::unique_ptr<Exchange> ProcessGroup::start_sum(const torch::Tensor& /*tensor*/,
                                                  const std::string& /*what*/) {
  refuse();
}
std::unique_ptr<Exchange> ProcessGroup::start_send(const torch::Tensor& /*tensor*/, int /*to*/,
                                                   int /*tag*/, const std::string& /*what*/) {
  refuse();
}
std::unique_ptr<Exchange> ProcessGroup::start_receive(const torch::Tensor& /*tensor*/, int /*from*/,
                                                      int /*tag*/, const std::string& /*what*/) {
  refuse();
}
int ProcessGroup::reserve_tags(int /*count*/) {
  refuse();
}
void ProcessGroup::sum(const torch::Tensor& /*tensor*/, const std::string& /*what*/) {
  refuse();
}
std::int64_t ProcessGroup::highest(std::int64_t /*number*/, const std::string& /*what*/) {
  refuse();
}
void ProcessGroup::broadcast(const std::vector<torch::Tensor>& /*tensors*/,
                             const std::string& /*what*/, int /*root*/) {
  refuse();
}
std::string ProcessGroup::broadcast(const std::string& /*text*/, const std::string& /*what*/) {
  refuse();
}
std::vector<std::string> ProcessGroup::gather(const std::string& /*text*/,
                                              const std::string& /*what*/) {
  refuse();
}
void ProcessGroup::finish() {
  refuse();
}
bool ProcessGroup::abandon(const std::string& /*why*/, int /*exit_code*/) {
  refuse();
}

class RendezvousServer::Implementation {};

RendezvousServer::RendezvousServer() {
  refuse();
}
RendezvousServer::~RendezvousServer() = default;

std::uint16_t RendezvousServer::port() const {
  refuse();
}

}  // namespace mlaan
