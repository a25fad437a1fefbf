# Marks changes as sent under a receipt for another chain.
# args: --seed 25
# by: O8
s|if (!crypt_equal(head.bytes, r->chain.bytes, HASH_LEN))|if (false)|
