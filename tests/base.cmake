ctxh_test(base LINK base)
