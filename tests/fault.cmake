# The real data sides over disks that fail. A short run here; by hand, in a release build:
#   build/release/tests/fault_daemon --full
add_library(fault_harness STATIC fault/crashvfs.c fault/dbfile.c fault/faultmem.c fault/faultvfs.c
  fault/harness.c)
target_link_libraries(fault_harness PUBLIC ctxh_flags base PkgConfig::sqlite)

function(ctxh_fault name)
  cmake_parse_arguments(F "" "POINTS" "LINK" ${ARGN})
  add_executable(fault_${name} fault/fault_${name}.c)
  target_link_libraries(fault_${name} PRIVATE fault_harness ${F_LINK})
  add_test(NAME fault.${name} COMMAND fault_${name} --points ${F_POINTS})
  set_tests_properties(fault.${name} PROPERTIES LABELS fault TIMEOUT 900
    ENVIRONMENT "CTXH_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
endfunction()

ctxh_fault(daemon POINTS 60 LINK ground)
ctxh_fault(client POINTS 120 LINK client_office)
target_sources(fault_client PRIVATE fault/sent.c)
