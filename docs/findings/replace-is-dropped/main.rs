#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = "a".to_string();
    println!("{:?}", program::f(&a0));
}
