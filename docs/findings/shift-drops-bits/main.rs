#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = -597985011i32;
    println!("{:?}", program::f(a0));
}
