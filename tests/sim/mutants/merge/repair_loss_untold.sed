# An edit that a bad clock put before what its author saw is lost silently.
s|return is_of_another(m, present);|return is_unseen(m, present);|
