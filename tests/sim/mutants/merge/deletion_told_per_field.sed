# A deletion is told once for each field of the edit.
s|if (i > 0 && compare_by_stamp(&edits\[i - 1\], &edits\[i\]) == 0)|if (false)|
