"""Microsoft.ManagedIdentity: user-assigned identities, and the identities of machines."""
