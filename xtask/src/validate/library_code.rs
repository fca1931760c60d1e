//! Library crates return errors: they do not print, exit, or panic on what a user gives them.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{Violation, levels};
use crate::workspace::{Package, TextFile};

/// Below this level are libraries, but for the helpers of tests; binaries and tests are on it.
const BINARY_LEVEL: u8 = 6;

const FORBIDDEN_MACROS: [&str; 8] = [
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "panic",
    "todo",
    "unimplemented",
];

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Violation> {
    let folders: Vec<String> = packages
        .iter()
        .filter(|package| package.directory != levels::TESTING)
        .filter(|package| levels::level(&package.directory).is_some_and(|own| own < BINARY_LEVEL))
        .map(|package| format!("{}/src/", package.directory))
        .collect();
    files
        .iter()
        .filter(|file| file.path.ends_with(".rs") && !is_test_file(&file.path))
        .filter(|file| folders.iter().any(|folder| file.path.starts_with(folder)))
        .flat_map(check_file)
        .collect()
}

/// A module that `#[cfg(test)] mod tests;` keeps in a file of its own.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn check_file(file: &TextFile) -> Vec<Violation> {
    let mut found = Vec::new();
    match file.text.parse::<TokenStream>() {
        Ok(tokens) => scan(tokens, &mut found),
        Err(error) => found.push((1, format!("is not Rust: {error}"))),
    }
    found
        .into_iter()
        .map(|(line, message)| Violation::at_line(&file.path, line, message))
        .collect()
}

/// Walks the tokens, which leaves comments and string literals out by itself, and skips items under `#[cfg(test)]`.
fn scan(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut index = 0;
    while index < tokens.len() {
        if is_test_attribute(&tokens[index..]) {
            index += item_length(&tokens[index..]);
            continue;
        }
        if let Some(what) = forbidden(&tokens[index..]) {
            let line = tokens[index].span().start().line;
            found.push((
                line,
                format!("{what} in a library crate; return a typed error instead"),
            ));
        }
        if let TokenTree::Group(group) = &tokens[index] {
            scan(group.stream(), found);
        }
        index += 1;
    }
}

/// `#[cfg(test)]`, also with more conditions beside it.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = tokens else {
        return false;
    };
    let text = attribute.stream().to_string().replace(' ', "");
    hash.as_char() == '#' && (text == "cfg(test)" || text.starts_with("cfg(all(test,"))
}

/// Up to and with the braces or the semicolon that end the item.
fn item_length(tokens: &[TokenTree]) -> usize {
    let end = tokens.iter().position(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    });
    end.map_or(tokens.len(), |end| end + 1)
}

fn forbidden(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [
            TokenTree::Ident(name),
            TokenTree::Punct(bang),
            TokenTree::Group(_),
            ..,
        ] if bang.as_char() == '!' && FORBIDDEN_MACROS.iter().any(|word| name == word) => {
            Some(format!("{name}!"))
        }
        [
            TokenTree::Punct(dot),
            TokenTree::Ident(method),
            TokenTree::Group(arguments),
            ..,
        ] if dot.as_char() == '.' && method == "unwrap" && arguments.stream().is_empty() => {
            Some(".unwrap()".to_owned())
        }
        [
            TokenTree::Ident(module),
            TokenTree::Punct(_),
            TokenTree::Punct(_),
            TokenTree::Ident(function),
            ..,
        ] if module == "process" && function == "exit" => Some("process::exit".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::{file, package};

    fn places(text: &str) -> Vec<String> {
        let packages = [package("crates/text", &[]), package("crates/cli", &[])];
        let files = [
            file("crates/text/src/reader.rs", text),
            file("crates/text/src/tests.rs", text),
            file("crates/cli/src/main.rs", text),
        ];
        check(&packages, &files)
            .into_iter()
            .map(|violation| violation.place)
            .collect()
    }

    #[test]
    fn printing_exiting_and_panicking_fail_in_library_crates_alone() {
        for line in [
            "println!(\"x\");",
            "std::eprintln!();",
            "std::process::exit(1);",
            "value.unwrap();",
            "panic!(\"no\");",
            "assert!(value.unwrap());",
            "dbg!(value);",
        ] {
            let text = format!("// a comment\nfn f() {{\n    {line}\n}}\n");
            assert_eq!(places(&text), ["crates/text/src/reader.rs:3"], "{line}");
        }
    }

    #[test]
    fn errors_expectations_comments_and_strings_pass() {
        let text = r#"
            /// Call `.unwrap()` or println!().
            fn f() -> Result<(), E> {
                let text = "panic!()"; // process::exit(1)
                value.unwrap_or_default();
                value.expect("a reason");
                Err(E::new(text))
            }
        "#;
        assert_eq!(places(text), Vec::<String>::new());
    }

    #[test]
    fn unit_tests_may_do_as_they_like_and_end_where_they_end() {
        let text = "#[cfg(test)]\nmod tests {\n fn t() { x.unwrap(); }\n}\n#[cfg(all(test, unix))]\nmod more { fn t() { panic!() } }\nfn f() { x.unwrap(); }";
        assert_eq!(places(text), ["crates/text/src/reader.rs:7"]);
        assert_eq!(places("#[cfg(not(test))]\nfn f() { x.unwrap(); }").len(), 1);
    }

    #[test]
    fn a_file_that_is_not_rust_fails() {
        assert_eq!(places("fn f( {"), ["crates/text/src/reader.rs:1"]);
    }
}
