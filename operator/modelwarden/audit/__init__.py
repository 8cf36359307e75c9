"""The ledger as bytes: encoding, chain, signature, stores and verification."""
