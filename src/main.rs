//! vjam.
fn main() {}
