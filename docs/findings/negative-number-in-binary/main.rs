#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = -1i32;
    println!("{:?}", program::f(a0));
}
