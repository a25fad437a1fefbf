# The id is printed before the commit.
s|^	e = entry_make(&n->ctx, &n->change, ret_outcome, finding);|&\n	char hex[ID_HEX_LEN];\n	id_print(\&n->change.id, hex);\n	cmd_printf("%s\\n", hex);\n	fflush(stdout);|
