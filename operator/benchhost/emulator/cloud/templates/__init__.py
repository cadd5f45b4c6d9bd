"""The language of deployment templates: expressions, functions, parameters and the order of resources.

Used by `benchhost.emulator.cloud.deployments`. Nothing here knows what a resource is, looks at a clock or changes
anything: a template and the values of its parameters go in, bodies and an order come out. Only what templates of
virtual machines use is there; everything else is refused by its name.
"""
