# Nobody is told to forget a record that has left.
s|if (e == ERR_OK && had_it)|if (e != ERR_OK \&\& had_it)|
