# Two changes of one device may get one stamp.
s|if (clock <= \*prev)|if (clock < *prev)|
