"""The emulator's own API, for whoever experiments with the cloud: faults, limits, capacity and more.

It lies under ``/emulator/v1/`` on the same port. No Azure has it and no Azure client knows it; its token is not an
Azure token.
"""
