#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = vec![0i32, -7i32];
    let mut a1 = -1i32;
    let mut a2 = 0i32;
    println!("{:?}", program::f(&a0, a1, a2));
}
