#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = 0.0f64;
    println!("{:?}", program::f(a0));
}
