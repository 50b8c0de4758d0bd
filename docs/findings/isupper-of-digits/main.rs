#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = "-".to_string();
    println!("{:?}", program::f(&a0));
}
