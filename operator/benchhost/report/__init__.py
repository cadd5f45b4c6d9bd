"""``benchhost report``: what an experiment found, how far placement noise explains it, and what its hosts cost.

Imported by ``benchhost.cli`` only. It reads mlos_bench's storage through ``benchhost.mlos`` and the hosts' history, and
never talks to a cluster or a cloud.
"""
