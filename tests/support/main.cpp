// Runs the tests with the counting allocator in place.
#include <mlaan/measure/memory.h>

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  mlaan::measure::install_counting_allocator();
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
