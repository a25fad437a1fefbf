# What a released device sends again goes in once more.
# args: --with releases
# by: O4
s|is_found = relative != NULL \&\& find_in(relative, c, ret_twin);|is_found = relative != NULL \&\& c == NULL \&\& find_in(relative, c, ret_twin);|
