# The winning value under the stamp of the loser.
s|append(m, is_incoming_lost ? present : &incoming);|incoming.stamp = is_incoming_lost ? incoming.stamp : present->stamp; append(m, is_incoming_lost ? present : \&incoming);|
