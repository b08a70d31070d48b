require ["vnd.dovecot.filter", "fileinto", "mailbox"];

if filter "encrypt-to-self" {
    # ~/Maildir/
    fileinto :create "sealed/Maildir";
} else {
    # No place: see sieve.conf.
    fileinto "INBOX";
}
