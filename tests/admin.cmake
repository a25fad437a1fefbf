ctxh_test(ctl LINK admin Threads::Threads)
