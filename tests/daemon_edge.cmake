ctxh_test(config LINK daemon)
ctxh_test(registry LINK daemon)
ctxh_test(peers LINK daemon)
ctxh_test(writer LINK daemon)
