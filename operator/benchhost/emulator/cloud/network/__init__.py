"""Microsoft.Network: virtual networks, subnets, addresses, interfaces and security groups."""
