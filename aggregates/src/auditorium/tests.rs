//! Rules, one sentence each.
