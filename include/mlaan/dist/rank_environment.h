// Which of several processes this one is, as whoever started it has told it by its environment.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

namespace mlaan {

/// Which rank this process has, and where the ranks meet.
struct RankEnvironment {
  std::string launcher;  ///< "torchrun", "Slurm" or "Open MPI"
  int rank = 0;          ///< from 0
  int size = 1;          ///< ranks in all
  int local_rank = 0;    ///< among those of this machine
  std::string address;   ///< of the machine where they meet
  std::uint16_t port = 0;
  /// Whether the launcher serves the store by which they find each other; else rank 0 does.
  bool store_is_served = false;
  /// How often the launcher has started all ranks anew.
  std::int64_t restarts = 0;
};

/// The value of a variable, or null.
using ReadVariable = std::function<const char*(const char*)>;

/// Reads what torchrun (RANK, WORLD_SIZE, …), Slurm (SLURM_PROCID, SLURM_NTASKS, …) or Open MPI
/// (OMPI_COMM_WORLD_RANK, …) have set, the first of these that is there.
/// \return nothing where none has.
/// \throws UserError naming a variable that is missing or that no rank can have.
std::optional<RankEnvironment> read_rank_environment(
    const ReadVariable& read = [](const char* name) -> const char* { return std::getenv(name); });

/// The first machine of a list as Slurm writes it: "node03" of "node[03-05,7],other".
std::string first_host(const std::string& node_list);

}  // namespace mlaan
