# The merge alone, optimised also under sanitizers: the simulation runs it millions of times.
set(model_dir ${PROJECT_SOURCE_DIR}/common/model)
add_library(merge_core STATIC
  ${model_dir}/merge.c ${model_dir}/record.c ${model_dir}/stamp.c ${model_dir}/value.c)
target_link_libraries(merge_core PUBLIC base)
target_compile_options(merge_core PRIVATE -O2)

ctxh_test(stamp LINK merge_core)
ctxh_test(record LINK merge_core)
ctxh_test(merge LINK merge_core)
ctxh_test(merge_deletion LINK merge_core)
ctxh_test(match LINK model)
ctxh_test(digest LINK model)

add_library(sim_merge_parts OBJECT
  sim/sim_merge.c sim/merge_history.c sim/merge_oracle.c)
target_link_libraries(sim_merge_parts PUBLIC merge_core)
target_compile_options(sim_merge_parts PRIVATE -O2)

add_executable(sim_merge)
target_link_libraries(sim_merge PRIVATE sim_merge_parts)
# Two halves, so that they run side by side. Freed memory need not be held back for long:
# one schedule lives less than a millisecond.
foreach(seed 1 1000001)
  add_test(NAME sim.merge.${seed} COMMAND sim_merge --seed ${seed} --schedules 100000)
  set_tests_properties(sim.merge.${seed} PROPERTIES LABELS sim TIMEOUT 3600
    ENVIRONMENT "ASAN_OPTIONS=quarantine_size_mb=8")
endforeach()

# Every planted bug must be found, or the simulation proves nothing. With --no-oracle the
# rules of the design alone find it: whatever changes states, loses untold or alarms falsely.
set(oracle_only deletion_told_per_field landing_untold parallel_untold)
file(GLOB mutants CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants
  ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants/*/*.sed)
foreach(script ${mutants})
  get_filename_component(module ${script} DIRECTORY)
  get_filename_component(name ${script} NAME_WE)
  set(mutate ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutate.sh)
  set(script ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants/${script})
  set(mutant ${CMAKE_CURRENT_BINARY_DIR}/mutants/${name}.c)
  add_custom_command(OUTPUT ${mutant}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
    COMMAND ${mutate} ${script} ${model_dir}/${module}.c ${mutant}
    DEPENDS ${script} ${mutate} ${model_dir}/${module}.c)
  # Its own module comes before the library's, so that one is not linked.
  add_executable(sim_mutant_${name} ${mutant})
  target_compile_options(sim_mutant_${name} PRIVATE -w)
  target_link_libraries(sim_mutant_${name} PRIVATE sim_merge_parts)
  set(found ${CMAKE_CURRENT_SOURCE_DIR}/sim/expect_found.sh
    --sound $<TARGET_FILE:sim_merge> "--schedules 1" $<TARGET_FILE:sim_mutant_${name}>)
  add_test(NAME sim.mutant.${name} COMMAND ${found} --schedules 20000)
  set_tests_properties(sim.mutant.${name} PROPERTIES LABELS sim TIMEOUT 3600)
  if(NOT name IN_LIST oracle_only)
    add_test(NAME sim.mutant.${name}.rules COMMAND ${found} --schedules 20000 --no-oracle)
    set_tests_properties(sim.mutant.${name}.rules PROPERTIES LABELS sim TIMEOUT 3600)
  endif()
endforeach()

add_executable(bench_merge bench/bench_merge.c)
target_link_libraries(bench_merge PRIVATE ctxh_flags merge_core)
