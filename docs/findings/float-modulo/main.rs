#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = 1.0f64;
    let mut a1 = 1.25e+307f64;
    println!("{:?}", program::f(a0, a1));
}
