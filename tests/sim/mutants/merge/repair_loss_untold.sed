# An edit that a bad clock put before what its author saw is lost silently.
s|return present->stamp.device != m->stamp.device;|return is_unseen(m, present);|
