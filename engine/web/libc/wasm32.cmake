# Tells CMake how to compile libopus for wasm32-unknown-unknown: any clang, and the few C headers
# beside this file instead of a C library. What those headers declare is defined in
# engine/web/src/libc.rs and in Rust's compiler_builtins.
#
# `.cargo/config.toml` names this file in CMAKE_TOOLCHAIN_FILE_wasm32_unknown_unknown, where the
# `cmake` crate looks for it.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)

set(versions 23 22 21 20 19 18 17 16 15 14)
list(TRANSFORM versions PREPEND clang- OUTPUT_VARIABLE clangs)
list(TRANSFORM versions PREPEND llvm-ar- OUTPUT_VARIABLE archivers)
list(TRANSFORM versions PREPEND llvm-ranlib- OUTPUT_VARIABLE indexers)
find_program(CMAKE_C_COMPILER NAMES clang ${clangs} REQUIRED)
find_program(CMAKE_AR NAMES llvm-ar ${archivers} REQUIRED)
find_program(CMAKE_RANLIB NAMES llvm-ranlib ${indexers} REQUIRED)
set(CMAKE_C_COMPILER_TARGET wasm32-unknown-unknown)

# There is nothing to link an executable with.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/include")
# Without errno, square roots and roundings become single instructions. Rust's own objects have
# these two WebAssembly features too; every browser with an AudioWorklet has them.
add_compile_options(-nostdlibinc -fno-math-errno -mbulk-memory -mnontrapping-fptoint)
