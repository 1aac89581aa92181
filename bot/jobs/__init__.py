"""Durable work: queues on DBOS, the dispatcher, the reaper, the clock, and worker locks."""
