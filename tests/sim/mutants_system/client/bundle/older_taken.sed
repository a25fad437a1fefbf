# A return file that is older than what is here is taken.
# args: --with files
# by: the receipt goes back
s|\*ret_outcome = BUNDLE_SUPERSEDED;|*ret_outcome = BUNDLE_TAKEN;|
