# Source files that a document shows, so that they are compiled.

# Writes the block of code that follows `name`: in the document to `result`, a file in the build
# folder; only if it differs, so that it is compiled again only then.
function(mlaan_documented_source document name result)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${document})
  file(READ ${document} text)
  set(begin_mark "`${name}`:\n```cpp\n")
  string(FIND "${text}" "${begin_mark}" begin)
  if(begin EQUAL -1)
    message(FATAL_ERROR "${document} does not show ${name}")
  endif()
  string(LENGTH "${begin_mark}" length)
  math(EXPR begin "${begin} + ${length}")
  string(SUBSTRING "${text}" ${begin} -1 text)
  string(FIND "${text}" "```" end)
  string(SUBSTRING "${text}" 0 ${end} text)
  set(path ${CMAKE_CURRENT_BINARY_DIR}/documented/${name})
  file(CONFIGURE OUTPUT ${path} CONTENT "${text}" @ONLY)
  set(${result} ${path} PARENT_SCOPE)
endfunction()
