#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = vec![0i32, 0i32, 0i32];
    println!("{:?}", program::f(&a0));
}
