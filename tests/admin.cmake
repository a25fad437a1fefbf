ctxh_test(ctl LINK admin Threads::Threads)
ctxh_test(report LINK daemon)
ctxh_test(query LINK daemon)
ctxh_test(admin LINK daemon)
ctxh_test(admin_records LINK daemon)
ctxh_test(admin_account LINK daemon)
ctxh_test(admin_device_list LINK daemon)
ctxh_test(admin_report LINK daemon)
ctxh_test(admin_import LINK daemon)
ctxh_test(board LINK daemon)

# How long an administrator waits with the country's communes and a million contacts; by hand.
add_executable(bench_board bench/bench_board.c)
target_link_libraries(bench_board PRIVATE daemon)
