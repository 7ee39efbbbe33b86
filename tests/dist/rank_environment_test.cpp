#include "support/errors.h"

#include <mlaan/dist/rank_environment.h>

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace mlaan::testing {
namespace {

std::optional<RankEnvironment> read(const std::map<std::string, std::string>& variables) {
  return read_rank_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(RankEnvironment, IsNoneWithoutALauncher) {
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}}));  // of salloc's shell
  // Of a batch script, which runs once, outside of any step.
  EXPECT_FALSE(read({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}}));
}

TEST(RankEnvironment, OfTorchrun) {
  const auto place = read({{"RANK", "3"},
                           {"WORLD_SIZE", "4"},
                           {"LOCAL_RANK", "1"},
                           {"MASTER_ADDR", "node07"},
                           {"MASTER_PORT", "1234"},
                           {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                           {"TORCHELASTIC_RESTART_COUNT", "2"},
                           {"SLURM_PROCID", "0"},
                           {"SLURM_NTASKS", "2"}});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->launcher, "torchrun");
  EXPECT_EQ(place->rank, 3);
  EXPECT_EQ(place->size, 4);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->address, "node07");
  EXPECT_EQ(place->port, 1234);
  EXPECT_TRUE(place->store_is_served);
  EXPECT_EQ(place->restarts, 2);
}

TEST(RankEnvironment, OfSlurm) {
  const auto place = read({{"SLURM_PROCID", "5"},
                           {"SLURM_NTASKS", "8"},
                           {"SLURM_LOCALID", "1"},
                           {"SLURM_STEP_ID", "0"},
                           {"SLURM_JOB_ID", "120042"},
                           {"SLURM_JOB_NODELIST", "gpu[03-05,7],login"}});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->launcher, "Slurm");
  EXPECT_EQ(place->rank, 5);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->address, "gpu03");
  EXPECT_EQ(place->port, 15042);
  EXPECT_FALSE(place->store_is_served);
}

TEST(RankEnvironment, OfOpenMpi) {
  std::map<std::string, std::string> variables{{"OMPI_COMM_WORLD_RANK", "1"},
                                               {"OMPI_COMM_WORLD_SIZE", "2"},
                                               {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                               {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  const auto place = read(variables);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 1);
  EXPECT_EQ(place->address, "127.0.0.1");
  EXPECT_EQ(place->port, 29500);
  variables["OMPI_COMM_WORLD_LOCAL_SIZE"] = "1";  // on two machines
  expect_user_error([&] { read(variables); }, {"MASTER_ADDR", "Open MPI"});
}

TEST(RankEnvironment, WhatNoRankCanHaveIsRefused) {
  expect_user_error([] { read({{"RANK", "0"}}); }, {"WORLD_SIZE"});
  expect_user_error([] { read({{"WORLD_SIZE", "2"}}); }, {"RANK"});
  expect_user_error([] { read({{"RANK", "2"}, {"WORLD_SIZE", "2"}}); }, {"RANK", "'2'", "0 to 1"});
  expect_user_error([] { read({{"RANK", "x"}, {"WORLD_SIZE", "2"}}); }, {"RANK", "'x'"});
  expect_user_error([] { read({{"RANK", "0"}, {"WORLD_SIZE", "2"}}); }, {"MASTER_ADDR"});
  expect_user_error(
      [] {
        read({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "70000"}});
      },
      {"MASTER_PORT", "65535"});
}

TEST(RankEnvironment, OneProcessNeedsNoPlaceToMeet) {
  const auto place = read({{"RANK", "0"}, {"WORLD_SIZE", "1"}});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->size, 1);
}

TEST(FirstHost, OfSlurmsLists) {
  EXPECT_EQ(first_host("node1"), "node1");
  EXPECT_EQ(first_host("node1,node2"), "node1");
  EXPECT_EQ(first_host("node[01-04,07]"), "node01");
  EXPECT_EQ(first_host("gpu[3,5-7]-ib,other[1-2]"), "gpu3-ib");
  EXPECT_EQ(first_host("a,b[1-2]"), "a");
}

}  // namespace
}  // namespace mlaan::testing
