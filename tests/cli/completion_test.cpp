// Completion in those of the shells that are installed.
#include "support/folders.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

bool is_installed(const std::string& shell) {
  return run_shell("command -v " + shell).exit_code == 0;
}

/// What a shell's script offers for the last word of a line, in the order of the alphabet.
class Completion : public ::testing::Test {
 protected:
  std::string run(const std::string& shell, const std::string& text) const {
    write_text(folder / "script", text);
    const ProgramResult result =
        run_shell("PATH=" + fs::path(program()).parent_path().string() + ":$PATH " + shell + " " +
                  (folder / "script").string() + " | sort | tr '\\n' ' '");
    return result.output;
  }

  /// \param words of the command line, as bash parts them.
  std::string in_bash(const std::string& words) const {
    return run("bash", "source <(mlaan completion bash)\nCOMP_WORDS=(" + words +
                           ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_mlaan\n"
                           "[[ ${#COMPREPLY[@]} == 0 ]] || printf '%s\\n' \"${COMPREPLY[@]}\"\n");
  }

  std::string in_fish(const std::string& line) const {
    return run("fish -N", "mlaan completion fish | source\ncomplete -C '" + line +
                              "' | string replace -r '\\t.*' ''\n");
  }

  TemporaryFolder folder;
};

TEST_F(Completion, InBash) {
  if (!is_installed("bash")) GTEST_SKIP() << "bash is not installed";
  EXPECT_EQ(run("bash", "source <(mlaan completion bash)\ncomplete -p mlaan\n"),
            "complete -F _mlaan mlaan ");
  EXPECT_EQ(in_bash("mlaan tr"), "train ");
  EXPECT_EQ(in_bash("mlaan data ''"), "check get ");
  EXPECT_EQ(in_bash("mlaan data get c"), "cifar10 cifar100 ");
  EXPECT_EQ(in_bash("mlaan train --prec"), "--precision ");
  EXPECT_EQ(in_bash("mlaan train --precision b"), "bfloat16 ");
  EXPECT_EQ(in_bash("mlaan train --precision = b"), "bfloat16 ") << "as --precision=b";
  EXPECT_EQ(in_bash("mlaan train --precision ="), "bfloat16 float16 float32 ");
  EXPECT_EQ(in_bash("mlaan compare --methods e2e,mlaan-"), "e2e,mlaan-lean e2e,mlaan-relay ");
  EXPECT_EQ(in_bash("mlaan train --set mlm.win"), "mlm.window= ");
  fs::create_directories(folder / "a b");
  write_text(folder / "a file", "");
  const std::string begin = "'" + (folder / "a").string() + "'";
  EXPECT_EQ(in_bash("mlaan train --data " + begin), (folder / "a b ").string());
  EXPECT_EQ(in_bash("mlaan train -c " + begin),
            (folder / "a b ").string() + (folder / "a file ").string());
}

TEST_F(Completion, InFish) {
  if (!is_installed("fish")) GTEST_SKIP() << "fish is not installed";
  EXPECT_EQ(in_fish("mlaan tr"), "train ");
  EXPECT_EQ(in_fish("mlaan data "), "check get ");
  EXPECT_EQ(in_fish("mlaan data get c"), "cifar10 cifar100 ");
  EXPECT_EQ(in_fish("mlaan train --prec"), "--precision ");
  EXPECT_EQ(in_fish("mlaan train --precision b"), "bfloat16 ");
  EXPECT_EQ(in_fish("mlaan compare --methods e2e,mlaan-"), "e2e,mlaan-lean e2e,mlaan-relay ");
  EXPECT_EQ(in_fish("mlaan train --set mlm.win"), "mlm.window= ");
  EXPECT_EQ(in_fish("mlaan train --data " + (folder / "scr").string()), "") << "only folders";
  EXPECT_EQ(in_fish("mlaan train -c " + (folder / "scr").string()), (folder / "script ").string());
}

TEST_F(Completion, InZsh) {
  if (!is_installed("zsh")) GTEST_SKIP() << "zsh is not installed";
  if (run_shell("zsh -f -c 'zmodload zsh/zpty && zpty z true'").exit_code != 0) {
    GTEST_SKIP() << "there are no pseudo terminals";
  }
  // In a terminal of its own: the line is typed, completed by a tabulator, and shown by control-X.
  const auto typed = [&](const std::string& line) {
    return run("zsh -f",
               "zmodload zsh/zpty\nzpty z zsh -f -i\n"
               "zpty -w z \"autoload -Uz compinit; compinit -u -d " +
                   (folder / "dump").string() +
                   "; source <(mlaan completion zsh);"
                   " show() { print -r -- \\\"<\\$BUFFER>\\\" }; zle -N show; bindkey '^X' show;"
                   " PS1=; print rea''dy\"\nzpty -r z out '*ready*'\n"
                   "zpty -w -n z '" +
                   line +
                   "'$'\\t\\C-x'\nzpty -r z out '*<*>*'\n"
                   "print -r -- \"${${out##*<}%%>*}\"\n");
  };
  EXPECT_EQ(typed("mlaan tr"), "mlaan train  ");
  EXPECT_EQ(typed("mlaan train --precision b"), "mlaan train --precision bfloat16  ");
  EXPECT_EQ(typed("mlaan compare --methods e2e,mlaan-r"),
            "mlaan compare --methods e2e,mlaan-relay, ");
}

TEST_F(Completion, OtherShellsAreRefused) {
  const ProgramResult result = run_program("completion tcsh");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("tcsh"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace mlaan::testing
