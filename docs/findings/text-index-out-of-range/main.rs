#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = "".to_string();
    let mut a1 = 0i32;
    println!("{:?}", program::f(&a0, a1));
}
