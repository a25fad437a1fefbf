# A return file moves a cursor past what the office did not know of when it was asked.
# args: --with files --seed 49
# by: O1|O7
s|if (is_behind(r, have, count, was_here))|if (r == NULL)|
