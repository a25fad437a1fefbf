# The real programs together.
add_library(device STATIC support/device.c)
target_link_libraries(device PUBLIC ctxh_flags proto PkgConfig::curl)

find_program(PYTHON3 python3 REQUIRED)
foreach(name main_job office_cli bad_input two_clients by_file kill9 live_schema trust disk_full disk_fails restore)
  add_test(NAME integration.${name}
    COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/${name}.py --bin ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(integration.${name} PROPERTIES LABELS integration TIMEOUT 300
    SKIP_RETURN_CODE 77 ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endforeach()

add_executable(bench_sync bench/bench_sync.c)
target_link_libraries(bench_sync PRIVATE device PkgConfig::sqlite Threads::Threads)

add_executable(peer support/peer.c)
target_link_libraries(peer PRIVATE device)

# A disk that fails on demand, preloaded into the daemon.
add_library(fault_io MODULE support/fault_io.c)
target_compile_definitions(fault_io PRIVATE _GNU_SOURCE)
target_link_libraries(fault_io PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(fault_io PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
