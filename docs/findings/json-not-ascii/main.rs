#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = vec!["ß".to_string()];
    println!("{:?}", program::f(&a0));
}
