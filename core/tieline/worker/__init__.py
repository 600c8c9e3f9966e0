"""The processes that do the work: workers that run jobs, schedulers that ring for what is due."""
