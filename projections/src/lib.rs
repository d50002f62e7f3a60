//! What can be asked: read models folded from events; never decides, never writes to the log.
