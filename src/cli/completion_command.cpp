// mlaan completion: prints scripts that complete mlaan's command line in shells.
#include "cli/commands.h"
#include "cli/completion_script.h"

#include <mlaan/core/error.h>
#include <mlaan/core/suggest.h>

#include <cstdio>
#include <memory>

namespace mlaan::cli {
namespace {

struct CompletionFlags {
  explicit CompletionFlags(CLI::App& app) {
    app.add_option("shell", shell, "shell to print the completion script of")
        ->required()
        ->type_name("{bash,zsh,fish}");
  }

  std::string shell;
};

int run(const CompletionFlags& flags, const CLI::App& program) {
  const CommandOutline commands = outline(program);
  if (flags.shell == "bash") {
    std::printf("%s", bash_completion(commands).c_str());
  } else if (flags.shell == "zsh") {
    std::printf("%s", zsh_completion(commands).c_str());
  } else if (flags.shell == "fish") {
    std::printf("%s", fish_completion(commands).c_str());
  } else {
    throw UserError(unknown_name("shell", flags.shell, {"bash", "zsh", "fish"}));
  }
  return 0;
}

}  // namespace

Command completion_command(CLI::App& program) {
  CLI::App* app =
      program.add_subcommand("completion", "print a shell's completion script for mlaan");
  app->footer(
      "bash: source <(mlaan completion bash); zsh, after compinit: source <(mlaan completion zsh); "
      "fish: mlaan completion fish | source");
  const auto flags = std::make_shared<CompletionFlags>(*app);
  return {app, [flags, &program] { return run(*flags, program); }};
}

}  // namespace mlaan::cli
