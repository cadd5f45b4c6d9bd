"""The instance metadata service: what a virtual machine asks at 169.254.169.254, on a loopback port of its own."""
