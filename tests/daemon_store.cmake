# The daemon's data side, on real SQLite files in temporary folders.
add_library(ground STATIC support/ground.c)
target_link_libraries(ground PUBLIC daemon)

ctxh_test(ingest LINK ground)
ctxh_test(office LINK ground)
ctxh_test(decide LINK ground)
ctxh_test(admin_decide LINK ground)
ctxh_test(ingest_waiting LINK ground)
ctxh_test(units LINK ground)
ctxh_test(outgoing LINK ground)
ctxh_test(enrol LINK ground)
ctxh_test(store LINK ground)
ctxh_test(schema_sql LINK ground)
ctxh_test(verify LINK ground)
ctxh_test(backup LINK ground)

add_executable(bench_ingest bench/bench_ingest.c)
target_link_libraries(bench_ingest PRIVATE daemon)
