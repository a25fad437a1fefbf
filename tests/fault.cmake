# The real data sides over disks that fail. A short run here; by hand, in a release build:
#   build/release/tests/fault_daemon --full
add_library(fault_harness STATIC fault/crashlock.c fault/crashvfs.c fault/dbfile.c fault/faultmem.c fault/faultvfs.c
  fault/harness.c fault/harness_branch.c fault/harness_cuts.c fault/harness_faults.c)
target_link_libraries(fault_harness PUBLIC ctxh_flags base text PkgConfig::sqlite)
target_compile_definitions(fault_harness PRIVATE _GNU_SOURCE)
# Memory of our own, to run out of. Libraries we hand data to are linked whole, as archives, so that their malloc is
# meant, too; one whose package has no archive calls its own, as SQLite does.
target_link_options(fault_harness INTERFACE -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)
foreach(name zstd msgpackc jansson utf8proc)
  find_library(CTXH_ARCHIVE_${name} lib${name}.a)
  mark_as_advanced(CTXH_ARCHIVE_${name})
  if(CTXH_ARCHIVE_${name})
    target_link_options(fault_harness INTERFACE -Wl,--whole-archive ${CTXH_ARCHIVE_${name}} -Wl,--no-whole-archive)
  endif()
endforeach()

function(ctxh_fault name)
  cmake_parse_arguments(F "" "POINTS" "LINK" ${ARGN})
  add_executable(fault_${name} fault/fault_${name}.c)
  target_link_libraries(fault_${name} PRIVATE fault_harness ${F_LINK})
  add_test(NAME fault.${name} COMMAND fault_${name} --points ${F_POINTS})
  set_tests_properties(fault.${name} PROPERTIES LABELS fault TIMEOUT 3600
    ENVIRONMENT "CTXH_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
endfunction()

ctxh_fault(daemon POINTS 60 LINK ground)
ctxh_fault(client POINTS 120 LINK client_office)
target_sources(fault_client PRIVATE fault/client_side.c fault/sent.c)
target_sources(fault_daemon PRIVATE fault/daemon_side.c)
ctxh_fault(office POINTS 12 LINK ground)
target_sources(fault_office PRIVATE fault/daemon_side.c fault/office_plan.c)
target_compile_definitions(fault_office PRIVATE _GNU_SOURCE)
ctxh_fault(carry POINTS 12 LINK client_office)
target_sources(fault_carry PRIVATE fault/client_side.c fault/sent.c)
