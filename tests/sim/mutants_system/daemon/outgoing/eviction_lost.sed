# Nobody is told to forget a record that has left.
# by: O1|O9
s|if (e == ERR_OK && had_it)|if (e != ERR_OK \&\& had_it)|
