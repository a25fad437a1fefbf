# A home that takes another number believes the office has all it sealed, whatever history that is.
# args: --with releases
# by: O2|O10
s|w->held = is_same_epoch ? w->before.acked : 0;|w->held = is_same_epoch ? w->before.number : 0;|
