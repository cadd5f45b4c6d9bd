"""Microsoft Entra ID: the token endpoint, what clients look up before it, and the check of tokens in ARM."""
