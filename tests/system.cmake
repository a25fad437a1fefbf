# The real programs together.
add_library(device STATIC support/device.c)
target_link_libraries(device PUBLIC ctxh_flags proto PkgConfig::curl)

find_program(PYTHON3 python3 REQUIRED)
foreach(name main_job bad_input two_clients kill9 live_schema)
  add_test(NAME integration.${name}
    COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/${name}.py --bin ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(integration.${name} PROPERTIES LABELS integration TIMEOUT 300
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endforeach()

add_executable(bench_sync bench/bench_sync.c)
target_link_libraries(bench_sync PRIVATE device PkgConfig::sqlite Threads::Threads)

add_executable(peer support/peer.c)
target_link_libraries(peer PRIVATE device)
