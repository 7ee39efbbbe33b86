// The rank of this process, read from the environment variables that its launcher sets.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

namespace mlaan {

/// The rank of this process, and where the ranks meet.
struct RankEnvironment {
  std::string launcher;    ///< "torchrun", "Slurm" or "Open MPI"
  int rank = 0;            ///< from 0
  int size = 1;            ///< number of ranks
  int local_rank = 0;      ///< number among the ranks on this machine, from 0
  std::string address;     ///< host where the ranks meet
  std::uint16_t port = 0;  ///< TCP port on that host
  /// Whether the launcher serves the store through which the ranks find each other; otherwise rank
  /// 0 serves it.
  bool store_is_served = false;
  /// How many times the launcher has restarted all ranks.
  std::int64_t restarts = 0;
};

/// Returns the value of an environment variable, or null.
using ReadVariable = std::function<const char*(const char*)>;

/// Reads the variables of torchrun (RANK, WORLD_SIZE, …), Slurm (SLURM_PROCID, SLURM_NTASKS, …) or
/// Open MPI (OMPI_COMM_WORLD_RANK, …), in this order: the first launcher whose variables are set
/// counts. A batch script of Slurm is none of its ranks, the tasks that its srun starts are.
/// \return nothing if none are set.
/// \throws UserError naming a variable that is missing or has an impossible value.
std::optional<RankEnvironment> read_rank_environment(
    const ReadVariable& read = [](const char* name) -> const char* { return std::getenv(name); });

/// The first machine of a Slurm node list: "node03" of "node[03-05,7],other".
std::string first_host(const std::string& node_list);

}  // namespace mlaan
