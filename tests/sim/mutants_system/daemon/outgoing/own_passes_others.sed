# A device's own push moves its cursor past what others wrote in between.
# by: O1|O9
s|msg_cursor_whole(held) >= u->before|u->unit != 0|
