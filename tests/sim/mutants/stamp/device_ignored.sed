# Equal clocks of two devices are one stamp.
s|return (a->device > b->device) - (a->device < b->device);|return 0;|
