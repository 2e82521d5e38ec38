"""The mail outbox: mails are rows, written with the change that causes them, and sent by a worker."""
