"""Azure Resource Manager's wire: paths, versions, headers, polling, bodies. Calls `benchhost.emulator.cloud`."""
