"""From a Python program to Rust and to what rustc says of it, once per program and tools.

``pipeline.transpile`` does all of it through the cache; ``rustc.compile_rust`` is the compiler alone, for whoever has
Rust at hand (repair, the verifier).
"""
