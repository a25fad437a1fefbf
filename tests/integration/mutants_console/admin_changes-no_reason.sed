# Restricted values are shown without a reason.
# run: console.py
# by: shown without a reason
s|^	if (!admin_is_cleared(call, "read restricted"))|	if (false)|
