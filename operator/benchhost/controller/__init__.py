"""The controller: watch, work queue, reconciler, and what it says to the API server. The only importer of kopf."""
