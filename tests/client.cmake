add_library(client_office STATIC support/office.c support/client_home.c support/courier.c)
target_link_libraries(client_office PUBLIC client)

ctxh_test(backoff LINK client)
ctxh_test(sync_budget LINK client)
ctxh_test(rebase LINK client)
ctxh_test(client_sync LINK client_office)
ctxh_test(client_epoch LINK client_office)
ctxh_test(sync_compare LINK client_office)
ctxh_test(client_bundle LINK client_office)
ctxh_test(succession LINK client_office)
ctxh_test(transport LINK client PkgConfig::mhd PkgConfig::gnutls)
ctxh_test(agent LINK client)
ctxh_test(vault LINK client_office)
ctxh_test(vault_erase LINK client_office)
ctxh_test(find LINK client_office)
ctxh_test(search LINK client_office)
ctxh_test(client_entry LINK client_office)
ctxh_test(client_restore LINK client_office)

add_executable(make_home support/make_home.c)
target_link_libraries(make_home PRIVATE client)
add_executable(plant support/plant.c)
target_link_libraries(plant PRIVATE client)

# Looking for what must not be there any more.
add_executable(vault_dump support/vault_dump.c support/vault_text.c)
target_link_libraries(vault_dump PRIVATE client)
add_executable(raw_search support/raw_search.c)
target_link_libraries(raw_search PRIVATE ctxh_flags PkgConfig::zstd)
target_compile_definitions(raw_search PRIVATE _GNU_SOURCE)

add_test(NAME integration.client_cli
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/client_cli.sh ${CMAKE_BINARY_DIR}/bin)
set_tests_properties(integration.client_cli PROPERTIES LABELS integration TIMEOUT 3600
  ENVIRONMENT "CTXH_SOURCE_DIR=${PROJECT_SOURCE_DIR}")

add_executable(bench_client bench/bench_client.c)
target_link_libraries(bench_client PRIVATE model PkgConfig::sqlite)
