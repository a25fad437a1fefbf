# Every page is told of every contact.
# run: scope.py
# by: told of
s|^	if (e == ERR_OK && sees)|	if (e == ERR_OK)|
