# At installation: completion scripts and, where help2man is there, man pages, both of which the
# program itself is asked for. Needs MLAAN_PROGRAM, MLAAN_VERSION, MLAAN_HELP2MAN (or nothing),
# MLAAN_DOCUMENTATION_DIR to write to first, and MLAAN_DATADIR to install to.

# mlaan_output(variable argument …): what the program prints.
function(mlaan_output variable)
  execute_process(COMMAND ${MLAAN_PROGRAM} ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${MLAAN_PROGRAM} ${ARGN} ended with ${code}")
  endif()
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# mlaan_install_completion(shell folder name)
function(mlaan_install_completion shell folder name)
  mlaan_output(script completion ${shell})
  file(WRITE ${MLAAN_DOCUMENTATION_DIR}/${name} "${script}")
  file(INSTALL DESTINATION ${CMAKE_INSTALL_PREFIX}/${MLAAN_DATADIR}/${folder} TYPE FILE
    FILES ${MLAAN_DOCUMENTATION_DIR}/${name})
endfunction()

# mlaan_install_man_pages(summary command …): of a command and those below it.
function(mlaan_install_man_pages summary)
  mlaan_output(help ${ARGN} --help)
  list(JOIN ARGN " " command)
  list(JOIN ARGN "-" page)
  set(page ${MLAAN_DOCUMENTATION_DIR}/mlaan-${page}.1)
  string(REPLACE "mlaan-.1" "mlaan.1" page ${page})
  string(STRIP "${MLAAN_PROGRAM} ${command}" executable)
  execute_process(COMMAND ${MLAAN_HELP2MAN} --no-info --section=1 --name=${summary}
    --version-string=${MLAAN_VERSION} --source=mlaan --manual=mlaan --output=${page} ${executable}
    RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "help2man ended with ${code} for mlaan ${command}")
  endif()
  # Pages are found by one word, which help2man does not know of.
  get_filename_component(title ${page} NAME_WE)
  string(TOUPPER ${title} capitals)
  file(READ ${page} text)
  string(REGEX REPLACE "\n\\.TH [A-Z]+ " "\n.TH ${capitals} " text "${text}")
  string(REGEX REPLACE "\n\\.SH NAME\nmlaan[a-z ]* \\\\-" "\n.SH NAME\n${title} \\\\-" text "${text}")
  file(WRITE ${page} "${text}")
  execute_process(COMMAND gzip --best --no-name --force ${page})
  file(INSTALL DESTINATION ${CMAKE_INSTALL_PREFIX}/${MLAAN_DATADIR}/man/man1 TYPE FILE
    FILES ${page}.gz)
  # A command below: two blanks, its name, and blanks before what it does.
  string(REGEX REPLACE ".*\nSubcommands:\n" "" below "${help}")
  if(below STREQUAL help)
    return()
  endif()
  string(REGEX REPLACE "\n\n.*" "" below "${below}")
  string(REPLACE "\n" ";" below "${below}")
  foreach(line IN LISTS below)
    if(line MATCHES "^  ([a-z]+) +(.+)$")
      mlaan_install_man_pages("${CMAKE_MATCH_2}" ${ARGN} ${CMAKE_MATCH_1})
    endif()
  endforeach()
endfunction()

file(REMOVE_RECURSE ${MLAAN_DOCUMENTATION_DIR})
mlaan_install_completion(bash bash-completion/completions mlaan)
mlaan_install_completion(fish fish/vendor_completions.d mlaan.fish)
# Debian's folder for what packages bring; elsewhere zsh looks into site-functions.
set(zsh_folder zsh/site-functions)
if(CMAKE_INSTALL_PREFIX MATCHES "/usr$" AND EXISTS /etc/debian_version)
  set(zsh_folder zsh/vendor-completions)
endif()
mlaan_install_completion(zsh ${zsh_folder} _mlaan)
if(MLAAN_HELP2MAN)
  mlaan_install_man_pages("supervised local learning")
endif()
