// The mlaan program: runs the subcommand, and turns exceptions into one line and an exit code.
#include "cli/commands.h"
#include "cli/error_report.h"
#include "cli/help_format.h"
#include "cli/ignored_signals.h"
#include "cli/key_flag.h"
#include "cli/rank.h"
#include "cli/spinning_threads.h"
#include "cli/standard_streams.h"
#include "cli/version.h"
#include "core/byte_text.h"

#include <mlaan/core/error.h>
#include <mlaan/core/process.h>
#include <mlaan/measure/memory.h>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace {

using namespace mlaan;
using namespace mlaan::cli;

/// Sets the text of -h for a command and its subcommands, to which CLI11 adds it.
void finish_help(CLI::App& app) {
  app.set_help_flag("-h,--help", "print this help and exit")->group(group::other);
  for (auto* command : app.get_subcommands([](CLI::App*) { return true; })) finish_help(*command);
}

int run(int argc, char** argv) {
  CLI::App program("Supervised local learning: trains deep networks module by module.", "mlaan");
  program.formatter(help_format());
  program.set_version_flag("--version", version(), "print the version and build, and exit")
      ->group(group::other);
  program.allow_extras();
  // Prevents `mlaan info plan` from being parsed as `mlaan plan`.
  program.require_subcommand(0, 1);
  std::vector<Command> commands{
      train_command(program), eval_command(program),    predict_command(program),
      bench_command(program), compare_command(program), analyze_command(program),
      plan_command(program),  export_command(program),  report_command(program),
      data_command(program),  info_command(program),    completion_command(program)};
  std::vector<std::string> names;
  for (const auto& command : commands) {
    command.app->allow_extras();
    names.push_back(command.app->get_name());
  }
  finish_help(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return program.exit(help);
  } catch (const CLI::CallForVersion& help) {
    return program.exit(help);
  } catch (const CLI::ParseError& error) {
    throw UserError(error.what());
  }
  for (const auto& command : commands) {
    if (!command.app->parsed()) continue;
    check_remaining(*command.app, command.verbs, command.verbs.empty() ? "argument" : "verb");
    if (command.computes) limit_spinning(argv);
    if (command.computes && !command.in_ranks) refuse_ranks(command.app->get_name());
    return command.run();
  }
  check_remaining(program, names, "command");
  std::fputs(program.help().c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  open_missing_streams();
  ignore_signals_as_started();
  measure::install_counting_allocator();
  int code = 0;
  try {
    code = run(argc, argv);
  } catch (const std::exception&) {
    code = report_error(std::current_exception());
  }
  return finish_output(code);
}
