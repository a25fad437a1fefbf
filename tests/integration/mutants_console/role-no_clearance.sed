# Who has no clearance may give a reason, too.
# run: console.py
# by: wanted 403
s|^	if (!who->is_cleared && |	if (false \&\& |
