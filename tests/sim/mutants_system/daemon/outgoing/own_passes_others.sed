# A device's own push moves its cursor past what others wrote in between.
s|msg_cursor_whole(held) >= u->before|u->unit != 0|
