# A wrong clock is moved the wrong way.
s|r.shift_ms = -ahead_ms;|r.shift_ms = ahead_ms;|
