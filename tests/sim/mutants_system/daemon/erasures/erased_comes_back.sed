# A restore does not erase again what the list names.
# args: --with erasures
# by: O11: restored with the list
s|if (e == ERR_OK && is)|if (e == ERR_OK \&\& is \&\& store == NULL)|
