// Declares the subcommands and verbs; each is defined in a file of its own.
#pragma once

#include "cli/command.h"

namespace mlaan::cli {

Command train_command(CLI::App& program);
Command eval_command(CLI::App& program);
Command predict_command(CLI::App& program);
Command bench_command(CLI::App& program);
Command compare_command(CLI::App& program);
Command analyze_command(CLI::App& program);
Command plan_command(CLI::App& program);
Command export_command(CLI::App& program);
Command report_command(CLI::App& program);
Command data_command(CLI::App& program);
Command info_command(CLI::App& program);
Command completion_command(CLI::App& program);

/// Of `mlaan bench`.
Verb bench_loader_verb(CLI::App& bench);
/// Of `mlaan data`.
Verb data_check_verb(CLI::App& data);

}  // namespace mlaan::cli
