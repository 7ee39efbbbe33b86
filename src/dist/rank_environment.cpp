// The rank of this process, read from the environment variables that its launcher sets.
#include <mlaan/core/error.h>
#include <mlaan/dist/rank_environment.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace mlaan {
namespace {

// torchrun's default.
constexpr std::uint16_t usual_port = 29500;

/// The environment variables of one launcher.
class Variables {
 public:
  Variables(const ReadVariable& read, std::string launcher)
      : read_(read), launcher_(std::move(launcher)) {}

  bool has(const char* name) const { return read_(name) != nullptr && *read_(name) != '\0'; }

  std::string text(const char* name) const {
    if (has(name)) return read_(name);
    throw UserError("the environment has no " + std::string(name) + ", though it names a rank as " +
                    launcher_ + " does");
  }

  std::int64_t number(const char* name, std::int64_t lowest, std::int64_t highest) const {
    const std::string value = text(name);
    char* end = nullptr;
    errno = 0;
    const long long number = std::strtoll(value.c_str(), &end, 10);
    if (*end != '\0' || errno != 0 || number < lowest || number > highest) {
      throw UserError("the environment's " + std::string(name) + " is '" + value +
                      "'; expected a whole number from " + std::to_string(lowest) + " to " +
                      std::to_string(highest));
    }
    return number;
  }

  std::int64_t number_or(const char* name, std::int64_t lowest, std::int64_t highest,
                         std::int64_t otherwise) const {
    return has(name) ? number(name, lowest, highest) : otherwise;
  }

  RankEnvironment rank(const char* rank, const char* size, const char* local_rank) const {
    constexpr std::int64_t most = 1 << 16;
    RankEnvironment place;
    place.launcher = launcher_;
    place.size = static_cast<int>(number(size, 1, most));
    place.rank = static_cast<int>(number(rank, 0, place.size - 1));
    place.local_rank = static_cast<int>(number_or(local_rank, 0, place.size - 1, place.rank));
    return place;
  }

  std::uint16_t port(std::uint16_t otherwise) const {
    constexpr std::int64_t highest = std::numeric_limits<std::uint16_t>::max();
    return static_cast<std::uint16_t>(number_or("MASTER_PORT", 1, highest, otherwise));
  }

 private:
  const ReadVariable& read_;
  std::string launcher_;
};

RankEnvironment of_torchrun(const Variables& variables) {
  RankEnvironment place = variables.rank("RANK", "WORLD_SIZE", "LOCAL_RANK");
  if (place.size == 1) return place;
  place.address = variables.text("MASTER_ADDR");
  variables.text("MASTER_PORT");
  place.port = variables.port(usual_port);
  place.store_is_served = variables.has("TORCHELASTIC_USE_AGENT_STORE") &&
                          variables.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  place.restarts = variables.number_or("TORCHELASTIC_RESTART_COUNT", 0, 1 << 20, 0);
  return place;
}

RankEnvironment of_slurm(const Variables& variables) {
  RankEnvironment place = variables.rank("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID");
  if (place.size == 1) return place;
  place.address = variables.has("MASTER_ADDR") ? variables.text("MASTER_ADDR")
                                               : first_host(variables.text("SLURM_JOB_NODELIST"));
  // The port depends on the job, so that jobs that share a machine do not meet each other.
  constexpr std::int64_t lowest = 15000;
  constexpr std::int64_t count = 10000;
  const std::int64_t job =
      variables.number_or("SLURM_JOB_ID", 0, std::numeric_limits<std::int64_t>::max(), 0);
  place.port = variables.port(static_cast<std::uint16_t>(lowest + job % count));
  place.restarts = variables.number_or("SLURM_RESTART_COUNT", 0, 1 << 20, 0);
  return place;
}

RankEnvironment of_open_mpi(const Variables& variables) {
  RankEnvironment place =
      variables.rank("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK");
  if (place.size == 1) return place;
  const bool one_machine =
      variables.number_or("OMPI_COMM_WORLD_LOCAL_SIZE", 1, place.size, place.size) == place.size;
  place.address =
      one_machine && !variables.has("MASTER_ADDR") ? "127.0.0.1" : variables.text("MASTER_ADDR");
  place.port = variables.port(usual_port);
  return place;
}

}  // namespace

std::optional<RankEnvironment> read_rank_environment(const ReadVariable& read) {
  const Variables torchrun(read, "torchrun");
  if (torchrun.has("RANK") || torchrun.has("WORLD_SIZE")) return of_torchrun(torchrun);
  const Variables slurm(read, "Slurm");
  // A batch script and the shell of salloc have the variables of a first task, but not of a step.
  const bool is_task = slurm.has("SLURM_PROCID") && slurm.has("SLURM_STEP_ID");
  if (is_task && slurm.has("SLURM_NTASKS")) return of_slurm(slurm);
  const Variables open_mpi(read, "Open MPI");
  if (open_mpi.has("OMPI_COMM_WORLD_RANK")) return of_open_mpi(open_mpi);
  return std::nullopt;
}

std::string first_host(const std::string& node_list) {
  const auto open = node_list.find('[');
  const auto comma = node_list.find(',');
  if (open == std::string::npos || comma < open) return node_list.substr(0, comma);
  const auto close = node_list.find(']', open);
  if (close == std::string::npos) return node_list.substr(0, open);
  const std::string numbers = node_list.substr(open + 1, close - open - 1);
  const auto next = node_list.find(',', close);
  const std::string suffix =
      node_list.substr(close + 1, next == std::string::npos ? next : next - close - 1);
  return node_list.substr(0, open) + numbers.substr(0, numbers.find_first_of(",-")) + suffix;
}

}  // namespace mlaan
