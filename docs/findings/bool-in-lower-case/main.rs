#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = false;
    println!("{:?}", program::f(a0));
}
