#![no_main]
//! libFuzzer entry of the target `arrivals`; what it checks is in tests/src/fuzz_targets.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz_targets::arrivals(bytes));
