//! What may happen: the rules of Jari, pure and synchronous; never touches a clock, a network or a file.
