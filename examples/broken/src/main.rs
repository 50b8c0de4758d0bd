//! A crate that does not compile, to push: one unresolved import, and what follows from it.
use std::collections::HashTable;

fn count(words: &[String]) -> HashTable<String, u32> {
    let mut counts = HashTable::new();
    for word in words {
        counts.insert(word, counts.get(word).unwrap_or(0) + 1);
    }
    counts
}

fn main() {
    let words: Vec<&str> = "to be or not to be".split(' ').collect();
    println!("{:?}", count(words));
}
