#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = 124531250000.0f64;
    println!("{:?}", program::f(a0));
}
