# Marks changes as sent under a receipt for another chain.
s|if (!crypt_equal(head.bytes, r->chain.bytes, HASH_LEN))|if (false)|
