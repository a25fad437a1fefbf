# A device does not set its clock by what it sees.
s|if (clock > hlc->last)|if (false)|
