#![allow(warnings)]
mod program;

fn main() {
    let mut a0 = "ä".to_string();
    let mut a1 = 2i32;
    println!("{:?}", program::f(&a0, a1));
}
