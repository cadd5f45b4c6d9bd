"""Template deployments: their records, and how one makes its resources step by step.

Resources are written through `writing.ResourceWriter`, which is the same way that a client's own PUT goes: quotas,
capacity, names, limits and failures are alike.
"""
