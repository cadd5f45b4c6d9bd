"""The emulated subscription: what Azure's resources are and do, without a word of HTTP.

Everything here is synchronous, takes ``now`` as an argument and keeps its state in one aggregate,
`benchhost.emulator.cloud.subscription.Subscription`. It must never import aiohttp or look at a clock.
"""
