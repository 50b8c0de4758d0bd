#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = std::collections::HashMap::from([("abc".to_string(), 0i32), ("".to_string(), 0i32)]);
    println!("{:?}", program::f(&a0));
}
