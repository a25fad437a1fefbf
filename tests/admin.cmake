ctxh_test(ctl LINK admin Threads::Threads)
ctxh_test(report LINK daemon)
ctxh_test(query LINK daemon)
ctxh_test(admin LINK daemon)
