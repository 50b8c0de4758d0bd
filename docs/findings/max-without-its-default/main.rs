#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = vec![];
    println!("{:?}", program::f(&a0));
}
