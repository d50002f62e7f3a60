//! The `jari` binary: hands its arguments to the library and nothing else.

fn main() {}
