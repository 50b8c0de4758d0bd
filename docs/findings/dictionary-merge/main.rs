#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = std::collections::HashMap::from([]);
    let mut a1 = std::collections::HashMap::from([]);
    println!("{:?}", program::f(a0, a1));
}
