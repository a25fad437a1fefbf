# Greater or equal instead of greater: a repeated write counts as a new one.
s|if (order == 0) {|if (false) {|
