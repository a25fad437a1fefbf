# The token of a POST may be any of the right length.
# run: console.py
# by: wanted 403
s| \|\| !crypt_equal(token, csrf, len))$|)|
