"""What changes the ledger. Each verb locks the ledger last: after organization and billing account."""
