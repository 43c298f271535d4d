"""The parts of the report page: what goes into it, and its drawings."""
