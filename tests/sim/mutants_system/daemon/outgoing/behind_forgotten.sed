# A cursor does not say that its pull was cut: earlier writes of what is behind never come.
# by: O1|O9
s|next.behind = next.log < until .*|next.behind = 0;|
