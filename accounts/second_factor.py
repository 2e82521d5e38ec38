"""How second factors lie in the database: encrypted, so that a copy of it opens no account."""

from allauth.mfa.adapter import DefaultMFAAdapter

from accounts.encryption import cipher

PURPOSE = b"second factor"


class MFAAdapter(DefaultMFAAdapter):
    """Encrypts TOTP keys and recovery seeds."""

    def encrypt(self, text: str) -> str:
        return cipher(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher(PURPOSE).decrypt(encrypted_text.encode()).decode()
