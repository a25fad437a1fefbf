# Who never pulled the unit is told to forget nothing, also what it wrote itself.
# by: O1|O9
s|e = was_known(p, &state, 0, &had_it);|had_it = false;|
