// mlaan data: fetches data sets, and checks folders of pictures.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/shell_text.h"

#include <mlaan/data/fetch.h>
#include <mlaan/log/download_progress.h>
#include <mlaan/train/signals.h>

#include <cstdio>
#include <cstring>
#include <memory>

namespace mlaan::cli {
namespace {

struct GetFlags {
  explicit GetFlags(CLI::App& app) {
    app.add_option("dataset", dataset, "data set to fetch; see `mlaan info datasets`")
        ->required()
        ->type_name("DATASET");
    app.add_option("--data", folder, "folder to put it into [data/DATASET]")
        ->type_name("DIR")
        ->group(group::data);
    app.add_option("--source", options.source, "URL of a mirror with the publisher's file names")
        ->type_name("URL")
        ->group(group::data);
    app.add_flag("--all", options.optional_files, "fetch optional files too")->group(group::data);
    app.add_flag("-q,--quiet", quiet, "no progress")->group(group::logging);
  }

  std::string dataset;
  std::string folder;
  FetchOptions options;
  bool quiet = false;
};

int get(const GetFlags& flags) {
  const DatasetEntry& dataset = dataset_registry().at(flags.dataset);
  const std::string folder = flags.folder.empty() ? "data/" + dataset.name : flags.folder;
  const StopSignals signals;
  bool complete = false;
  {
    DownloadProgress progress(stderr, flags.quiet);
    complete = fetch(dataset, folder, flags.options, progress, StopSignals::requested);
  }
  if (!complete) {
    std::fprintf(stderr, "mlaan: stopped by %s; run the same command to resume the download\n",
                 strsignal(StopSignals::received()));
    return StopSignals::exit_code();
  }
  std::printf("%s is in %s; train on it with --dataset %s --data %s\n", dataset.name.c_str(),
              folder.c_str(), dataset.name.c_str(), shell_word(folder).c_str());
  return 0;
}

Verb get_verb(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("get", "download a data set, check it and unpack it");
  const auto flags = std::make_shared<GetFlags>(*verb);
  return {verb, [flags] { return get(*flags); }};
}

}  // namespace

Command data_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("data", "fetch data sets, check folders of pictures");
  app->require_subcommand(0, 1);
  const auto verbs =
      std::make_shared<std::vector<Verb>>(std::vector<Verb>{get_verb(*app), data_check_verb(*app)});
  std::vector<std::string> names;
  for (const auto& verb : *verbs) {
    verb.app->allow_extras();
    names.push_back(verb.app->get_name());
  }
  const auto run = [app, verbs] {
    for (const auto& verb : *verbs) {
      if (!verb.app->parsed()) continue;
      check_remaining(*verb.app, {}, "argument");
      return verb.run();
    }
    std::fputs(app->help().c_str(), stdout);
    return 0;
  };
  return {app, run, /*computes=*/false, names};
}

}  // namespace mlaan::cli
