#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = vec![];
    let mut a1 = 0i32;
    println!("{:?}", program::f(&a0, a1));
}
