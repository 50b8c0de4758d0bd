use std::collections::HashMap;

macro_rules! double {
    ($value:expr) => {
        $value * 2
    };
}

struct Shape {
    name: String,
}

fn longest(a: &str, b: &str) -> &str {
    if a.len() > b.len() { a } else { b }
}

fn area(width: i32, height: i32) -> i32 {
    width * height
}

fn describe(flag: bool) -> i32 {
    match flag {
        true => {
            "yes"
        }
        false => 0,
    }
}

fn main() {
    let shape = Shape { name: String::from("square") };
    let moved = shape;
    println!("{}", shape.name);
    area("3", 4);
    let total: i32 = double!("a");
    let names: HashMap<String, i32> = vec![1, 2].iter().collect();
    let many = vec![1, "a"];
    moved.grow(undefined_name);
    let first = "ünïcode".lenght(); let second: bool = "ö";
}
