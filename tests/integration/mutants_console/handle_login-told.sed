# A password is told to the journal.
# run: console.py
# by: secret in the journal
s|^	s->password = member(s->body, "password");|&\n	log_info("try password=%.*s", BYTES_FMT(s->password));|
