#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = 0i32;
    println!("{:?}", program::f(a0));
}
