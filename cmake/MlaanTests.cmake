# Registers the tests of a program of GoogleTest with CTest, one for each source file, so that
# LibTorch is loaded once for a file and not once for each test in it.

# The filter that selects what TEST, TEST_F and TEST_P in a file define.
function(mlaan_filter_of_file source result)
  file(READ ${source} text)
  string(REGEX MATCHALL "TEST(_F|_P)?\\([ \n]*[A-Za-z0-9_]+,[ \n]*[A-Za-z0-9_]+\\)" tests "${text}")
  set(filter "")
  foreach(test IN LISTS tests)
    string(REGEX REPLACE "TEST(_F|_P)?\\([ \n]*([A-Za-z0-9_]+),[ \n]*([A-Za-z0-9_]+)\\)" "\\2.\\3"
      name "${test}")
    if(test MATCHES "^TEST_P")
      list(APPEND filter "*/${name}/*")
    else()
      list(APPEND filter "${name}")
    endif()
  endforeach()
  list(JOIN filter ":" filter)
  set(${result} "${filter}" PARENT_SCOPE)
endfunction()

# mlaan_register_tests(target QUICK folder … SLOW file … SOURCES file …): a test is named after its
# file, nn/loss, and has its folder for a label. Those of the QUICK folders have the label "quick"
# as well, but for the SLOW files. All others are started first, so that none runs alone at the end.
function(mlaan_register_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 arguments "" "" "QUICK;SLOW;SOURCES")
  set(all "")
  foreach(source IN LISTS arguments_SOURCES)
    if(NOT source MATCHES "_test\\.cpp$")
      continue()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(RELATIVE_PATH name ${CMAKE_CURRENT_SOURCE_DIR} ${source})
    string(REGEX REPLACE "_test\\.cpp$" "" name ${name})
    mlaan_filter_of_file(${source} filter)
    add_test(NAME ${name} COMMAND ${target} "--gtest_filter=${filter}")
    get_filename_component(folder ${name} DIRECTORY)
    set(labels ${folder})
    if(folder IN_LIST arguments_QUICK AND NOT name IN_LIST arguments_SLOW)
      list(APPEND labels quick)
      set(cost 1)
    else()
      set(cost 10)
    endif()
    # Tests run side by side: threads that spin while they wait would slow all of them.
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" COST ${cost} TIMEOUT 1500
      ENVIRONMENT GOMP_SPINCOUNT=1000)
    list(APPEND all ${filter})
  endforeach()
  list(JOIN all ":" all)
  # A test that no file's filter selects would never run.
  add_test(NAME no_test_is_left_out COMMAND ${target} --gtest_list_tests "--gtest_filter=-${all}")
  set_tests_properties(no_test_is_left_out PROPERTIES FAIL_REGULAR_EXPRESSION "[A-Za-z]\\.")
endfunction()
