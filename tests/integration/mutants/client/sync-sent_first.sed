# What goes out counts as sent, receipt or not.
s|^		e = exchange(c, PATH_SYNC, buf_bytes(&request), &status, &answer);|	{\n		struct vault_state state = *vault_state(c->sync->vault);\n		state.acked = state.number;\n		state.acked_chain = state.chain;\n		(void)change_state(c->sync, \&state);\n		e = exchange(c, PATH_SYNC, buf_bytes(\&request), \&status, \&answer);\n	}|
