# The real programs together.
add_library(device STATIC support/device.c)
target_link_libraries(device PUBLIC ctxh_flags proto PkgConfig::curl)

find_program(PYTHON3 python3 REQUIRED)
foreach(name main_job digest alerts office_cli transcript decisions bad_input two_clients by_file kill9 live_schema trust disk_full disk_fails restore enrol_cut lossy client_full erase clones clocks budget merger console scope reports service completion plain_files)
  add_test(NAME integration.${name}
    COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/${name}.py --bin ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(integration.${name} PROPERTIES LABELS integration TIMEOUT 3600
    SKIP_RETURN_CODE 77 ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endforeach()

add_executable(load bench/load.c bench/people.c)
target_link_libraries(load PRIVATE device)

# Counts and keys, never times; the figures themselves: scripts/bench.
add_test(NAME bench.tiny
  COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/bench/bench.py --bin ${CMAKE_BINARY_DIR}/bin --tiny)
set_tests_properties(bench.tiny PROPERTIES LABELS bench TIMEOUT 3600
  ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")

add_executable(peer support/peer.c)
target_link_libraries(peer PRIVATE device)

# Preloaded into a program: a disk that fails on demand, kill -9 at a chosen point.
foreach(name fault_io kill_io)
  add_library(${name} MODULE support/${name}.c)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endforeach()

# What kill -9 must find out: mutants/FOLDER/MODULE-BUG.sed makes another ctxhd or ctxh.
file(GLOB kill9_mutants CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/integration/mutants
  ${CMAKE_CURRENT_SOURCE_DIR}/integration/mutants/*/*.sed)
foreach(script ${kill9_mutants})
  get_filename_component(folder ${script} DIRECTORY)
  get_filename_component(name ${script} NAME_WE)
  string(REGEX REPLACE "-.*" "" module ${name})
  string(REGEX REPLACE ".*-" "" bug ${name})
  set(program ctxh)
  if(folder STREQUAL daemon)
    set(program ctxhd)
  endif()
  set(mutate ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutate.sh)
  set(script ${CMAKE_CURRENT_SOURCE_DIR}/integration/mutants/${script})
  set(source ${PROJECT_SOURCE_DIR}/${folder}/${module}.c)
  set(mutant ${CMAKE_CURRENT_BINARY_DIR}/mutants/kill9_${bug}.c)
  add_custom_command(OUTPUT ${mutant}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
    COMMAND ${mutate} ${script} ${source} ${mutant}
    DEPENDS ${script} ${mutate} ${source})
  # Its own module comes before the library's, so that one is not linked.
  add_executable(${program}_${bug} ${PROJECT_SOURCE_DIR}/${folder}/main.c ${mutant})
  target_compile_options(${program}_${bug} PRIVATE -w)
  target_link_libraries(${program}_${bug} PRIVATE ${folder})
  add_test(NAME integration.kill9.bug.${bug}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/expect_found.sh
      ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/kill9.py --bin ${CMAKE_BINARY_DIR}/bin
      --seed 1 --cycles 1000 --program ${program}=${CMAKE_BINARY_DIR}/bin/${program}_${bug})
  set_tests_properties(integration.kill9.bug.${bug} PROPERTIES LABELS integration TIMEOUT 3600
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endforeach()

# What the every-n of files that are no database must find out: mutants_files/base/MODULE-BUG.sed makes another ctxh.
file(GLOB file_mutants CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/integration/mutants_files/base/*.sed)
foreach(script ${file_mutants})
  get_filename_component(name ${script} NAME_WE)
  string(REGEX REPLACE "-.*" "" module ${name})
  string(REGEX REPLACE ".*-" "" bug ${name})
  set(mutate ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutate.sh)
  set(source ${PROJECT_SOURCE_DIR}/common/base/${module}.c)
  set(mutant ${CMAKE_CURRENT_BINARY_DIR}/mutants/files_${bug}.c)
  add_custom_command(OUTPUT ${mutant}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
    COMMAND ${mutate} ${script} ${source} ${mutant}
    DEPENDS ${script} ${mutate} ${source})
  add_executable(ctxh_file_${bug} ${PROJECT_SOURCE_DIR}/client/main.c ${mutant})
  target_compile_options(ctxh_file_${bug} PRIVATE -w)
  target_link_libraries(ctxh_file_${bug} PRIVATE client)
  add_test(NAME integration.plain_files.bug.${bug}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/expect_found.sh
      ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/plain_files.py --bin ${CMAKE_BINARY_DIR}/bin
      --full --only Export --program ctxh=${CMAKE_BINARY_DIR}/bin/ctxh_file_${bug})
  set_tests_properties(integration.plain_files.bug.${bug} PROPERTIES LABELS integration TIMEOUT 3600
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endforeach()

# What the console's tests must find out: mutants_console/MODULE-BUG.sed makes another ctxhd; "# run:" says which
# script meets it, "# by:" what it must be found by.
file(GLOB console_mutants CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/integration/mutants_console/*.sed)
foreach(script ${console_mutants})
  get_filename_component(name ${script} NAME_WE)
  string(REGEX REPLACE "-.*" "" module ${name})
  string(REPLACE "-" "_" bug ${name})
  file(STRINGS ${script} run REGEX "^# run: ")
  string(REGEX REPLACE "^# run: " "" run ${run})
  file(STRINGS ${script} by REGEX "^# by: ")
  string(REGEX REPLACE "^# by: " "" by ${by})
  set(mutate ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutate.sh)
  set(source ${PROJECT_SOURCE_DIR}/daemon/${module}.c)
  set(mutant ${CMAKE_CURRENT_BINARY_DIR}/mutants/console_${bug}.c)
  add_custom_command(OUTPUT ${mutant}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
    COMMAND ${mutate} ${script} ${source} ${mutant}
    DEPENDS ${script} ${mutate} ${source})
  add_executable(ctxhd_${bug} ${PROJECT_SOURCE_DIR}/daemon/main.c ${mutant})
  target_compile_options(ctxhd_${bug} PRIVATE -w)
  target_link_libraries(ctxhd_${bug} PRIVATE daemon)
  add_test(NAME integration.console.bug.${bug}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/expect_found.sh --by ${by}
      ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/${run} --bin ${CMAKE_BINARY_DIR}/bin
      --seed 1 --cycles 60 --program ctxhd=${CMAKE_BINARY_DIR}/bin/ctxhd_${bug})
  set_tests_properties(integration.console.bug.${bug} PROPERTIES LABELS integration TIMEOUT 3600
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endforeach()

# The console's pages in a real browser. One daemon, one browser: what runs beside it only makes it slower.
add_test(NAME browser.pages
  COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/browser/pages.py --bin ${CMAKE_BINARY_DIR}/bin)
set_tests_properties(browser.pages PROPERTIES LABELS browser TIMEOUT 3600 SKIP_RETURN_CODE 77
  ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
