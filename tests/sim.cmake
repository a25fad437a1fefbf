# The whole system in one program: the daemon's data side and several clients.
add_library(sim_system_parts OBJECT
  sim/sim_system.c sim/world.c sim/link.c sim/bureau.c sim/couriers.c sim/disks.c sim/homes.c
  sim/people.c sim/ledger.c sim/oracle.c sim/oracle_log.c sim/oracle_refusals.c sim/oracle_replica.c
  sim/oracle_values.c sim/truth.c sim/tell.c sim/clocks.c sim/faults.c sim/law.c
  sim/entropy.c sim/history.c
  fault/dbfile.c fault/faultvfs.c support/vault_text.c)
target_compile_definitions(sim_system_parts PRIVATE _GNU_SOURCE)
target_link_libraries(sim_system_parts PUBLIC client daemon PkgConfig::sqlite PkgConfig::jansson PkgConfig::sodium)
# Commits of the vaults can be made to fail, before or after they happened.
target_link_options(sim_system_parts PUBLIC LINKER:--wrap=vault_commit)

add_executable(sim_system)
target_link_libraries(sim_system PRIVATE sim_system_parts)

# Two halves, so that they run side by side; seeds that once found a bug are in the first.
add_test(NAME sim.system.1 COMMAND sim_system --runs 16 --steps 60)
add_test(NAME sim.system.2 COMMAND sim_system --seed 5000 --runs 20 --steps 60)
# A record that only a home set aside still has, and whose values were edited before they were sent.
add_test(NAME sim.system.stray COMMAND sim_system --seed 1207160 --runs 1)
# A copy of a disk sends a record again, in two requests, and between them passes the log number at which it was moved.
add_test(NAME sim.system.away COMMAND sim_system --seed 2005179 --runs 1)
# A restore took a conflict from the office, and what was written over the winner came back before the winner.
add_test(NAME sim.system.told COMMAND sim_system --seed 2001007 --runs 1)
# The daemon's disk fails in a sweep, behind the list of erasures.
add_test(NAME sim.system.listed COMMAND sim_system --seed 2002190 --runs 1)
set_tests_properties(sim.system.1 sim.system.2 sim.system.stray sim.system.away sim.system.told sim.system.listed
  PROPERTIES LABELS sim TIMEOUT 3600
  ENVIRONMENT "ASAN_OPTIONS=quarantine_size_mb=8")

# A seed is a history. The control seals what vaults hold with nonces of the machine.
set(same ${CMAKE_CURRENT_SOURCE_DIR}/sim/same.sh)
set(control ${CMAKE_CURRENT_BINARY_DIR}/mutants/system_machine_nonces.c)
set(script ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants_same/client/vault/machine_nonces.sed)
add_custom_command(OUTPUT ${control}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutate.sh ${script} ${PROJECT_SOURCE_DIR}/client/vault.c ${control}
  DEPENDS ${script} ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutate.sh ${PROJECT_SOURCE_DIR}/client/vault.c)
add_executable(sim_system_machine_nonces ${control})
target_compile_options(sim_system_machine_nonces PRIVATE -w)
target_link_libraries(sim_system_machine_nonces PRIVATE sim_system_parts)
# 1202305: the ledger asked a store that was no more what its names of fields were.
add_test(NAME sim.system.same COMMAND ${same} $<TARGET_FILE:sim_system> 1202303 4)
add_test(NAME sim.system.same.control
  COMMAND ${same} --control $<TARGET_FILE:sim_system_machine_nonces> 7000 1 --steps 20)
set_tests_properties(sim.system.same sim.system.same.control PROPERTIES LABELS sim TIMEOUT 3600
  ENVIRONMENT "ASAN_OPTIONS=quarantine_size_mb=8")

# Every planted bug must be found, by what must not hold with it, in a run in which all holds without it; or the
# simulation proves nothing. Some are planted while it runs:
set(system_found ${CMAKE_CURRENT_SOURCE_DIR}/sim/expect_found.sh
  --sound $<TARGET_FILE:sim_system> "--runs 1 --bug none")
set(by_receipt_first "O8|keeps refusing: gap")
set(by_lost_eviction "O1|O9")
set(by_applied_twice "O4|O8|there is no receipt")
foreach(bug receipt_first lost_eviction applied_twice)
  add_test(NAME sim.system.bug.${bug}
    COMMAND ${system_found} --by ${by_${bug}}
      $<TARGET_FILE:sim_system> --seed 1 --runs 60 --bug ${bug})
  set_tests_properties(sim.system.bug.${bug} PROPERTIES LABELS sim TIMEOUT 3600)
endforeach()

# others in a copy of one source file; its folder below mutants_system/ says which. A line "# by:" says what must
# find it; a line "# args:" makes sure, or soon, that what could find it happens.
file(GLOB_RECURSE system_mutants CONFIGURE_DEPENDS
  RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants_system
  ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants_system/*.sed)
foreach(script ${system_mutants})
  get_filename_component(module ${script} DIRECTORY)
  get_filename_component(name ${script} NAME_WE)
  set(mutate ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutate.sh)
  set(script ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants_system/${script})
  set(mutant ${CMAKE_CURRENT_BINARY_DIR}/mutants/system_${name}.c)
  add_custom_command(OUTPUT ${mutant}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
    COMMAND ${mutate} ${script} ${PROJECT_SOURCE_DIR}/${module}.c ${mutant}
    DEPENDS ${script} ${mutate} ${PROJECT_SOURCE_DIR}/${module}.c)
  # Its own module comes before the library's, so that one is not linked.
  add_executable(sim_system_mutant_${name} ${mutant})
  target_compile_options(sim_system_mutant_${name} PRIVATE -w)
  target_link_libraries(sim_system_mutant_${name} PRIVATE sim_system_parts)
  file(STRINGS ${script} args REGEX "^# args: ")
  string(REGEX REPLACE "^# args: " "" args "${args}")
  separate_arguments(args)
  file(STRINGS ${script} by REGEX "^# by: ")
  string(REGEX REPLACE "^# by: " "" by "${by}")
  if(by STREQUAL "")
    message(FATAL_ERROR "${script} does not say by what its bug must be found")
  endif()
  add_test(NAME sim.system.mutant.${name}
    COMMAND ${system_found} --by ${by} $<TARGET_FILE:sim_system_mutant_${name}> --seed 1 --runs 200 ${args})
  set_tests_properties(sim.system.mutant.${name} PROPERTIES LABELS sim TIMEOUT 3600)
endforeach()
