dnl The local mailer seals all mail and stores it in the user's ~/Maildir/.
dnl
dnl sendmail.mc takes this in above MAILER_DEFINITIONS.
define(`LOCAL_MAILER_PATH', `/usr/local/bin/encrypt-to-self')dnl
dnl
dnl No shell reads this: $u, the user's name as the sender wrote it, is a part of one argument.
define(`LOCAL_MAILER_ARGS', `encrypt-to-self --certs /etc/selfseal/certs --recipient=$u@$j deliver')dnl
dnl
dnl Debian's flags, but o, as the user, for S, as root. n: no line From before the message. Without m: one user at a
dnl time. Without 9: the text of the message stays encoded as it came.
MODIFY_MAILER_FLAGS(`LOCAL', `lsDFMAw5:/|@qPno')dnl
