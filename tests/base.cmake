ctxh_test(base LINK base)
ctxh_test(box LINK base)
ctxh_test(outfile LINK base)
ctxh_test(folder LINK base)
