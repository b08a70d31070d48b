//! The users of a directory of certificates, as a table for a person and as JSON for a program.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::date;
use super::users::User;
use crate::{escape, json};

/// The widest that addresses make their column. A longer one stands out of it.
const WIDEST: usize = 40;

/// A line for each user, and one for all; instead of them, why there are none.
pub fn text(users: &Result<Vec<User>>) -> String {
    let users = match users {
        Ok(users) => users,
        Err(error) => return format!("problem: {}\n", harmless(&format!("{error:#}"))),
    };
    let head = ["address", "fingerprint", "ends", "SEIPDv2", "PQ", ""].map(str::to_owned);
    let rows: Vec<[String; 6]> = [head].into_iter().chain(users.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let (address, fingerprint) = (width(0).min(WIDEST), width(1));
    let mut text = String::new();
    for [name, of, end, seipd_v2, post_quantum, wrong] in &rows {
        let line =
            format!("{name:address$}  {of:fingerprint$}  {end:10}  {seipd_v2:7}  {post_quantum:3}  {wrong}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "users: {}; something is wrong with: {}", users.len(), count_wrong(users));
    text
}

/// One JSON object in one line. Names and meanings are in encrypt-to-self(1).
pub fn json(directory: &Path, users: &Result<Vec<User>>) -> String {
    let (users, problem) = match users {
        Ok(users) => (&users[..], None),
        Err(error) => (&[][..], Some(string(&format!("{error:#}")))),
    };
    let whole = json::object(&[
        ("directory", json::string(directory.as_os_str().as_encoded_bytes())),
        ("problem", json::or_null(problem)),
        ("wrong", count_wrong(users).to_string()),
        ("users", json::array(users.iter().map(object))),
    ]);
    whole + "\n"
}

/// How many need attention.
pub fn count_wrong(users: &[User]) -> usize {
    users.iter().filter(|user| user.wrong.is_some()).count()
}

fn row(user: &User) -> [String; 6] {
    let none = || "-".to_owned();
    let sealing = user.sealing.as_ref();
    let yes_or_no = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
    let fingerprint = match &user.fingerprints[..] {
        [] => none(),
        [one] => one.clone(),
        [first, more @ ..] => format!("{first} +{}", more.len()),
    };
    // The way out stands in JSON, and where one user is asked for.
    let wrong = user.wrong.as_deref().unwrap_or_default();
    let wrong = wrong.split(';').next().unwrap_or_default().split(" (os error ").next().unwrap_or_default();
    [
        harmless(user.name()),
        fingerprint,
        sealing.map_or_else(none, |sealing| sealing.until.map_or_else(|| "never".to_owned(), date)),
        sealing.map_or_else(none, |sealing| yes_or_no(sealing.is_seipd_v2)),
        sealing.map_or_else(none, |sealing| yes_or_no(sealing.is_post_quantum)),
        harmless(wrong),
    ]
}

fn object(user: &User) -> String {
    let sealing = user.sealing.as_ref();
    let until = sealing.and_then(|sealing| sealing.until);
    json::object(&[
        ("address", json::or_null(user.address.as_deref().map(string))),
        ("file", string(&user.path)),
        ("fingerprints", json::array(user.fingerprints.iter().map(|one| string(one)))),
        ("ends", json::or_null(until.map(|until| string(&date(until))))),
        ("seipd_v2", json::or_null(sealing.map(|sealing| sealing.is_seipd_v2.to_string()))),
        ("post_quantum", json::or_null(sealing.map(|sealing| sealing.is_post_quantum.to_string()))),
        ("wrong", json::or_null(user.wrong.as_deref().map(string))),
    ])
}

fn string(text: &str) -> String {
    json::string(text.as_bytes())
}

/// In printable ASCII, since a column has to be as wide as it is long, and cron's mail has no charset.
fn harmless(text: &str) -> String {
    let harmless = escape::harmless(text.as_bytes());
    harmless
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::users::Sealing;
    use std::time::{Duration, UNIX_EPOCH};

    fn user(name: &str, fingerprints: &[&str], wrong: Option<&str>) -> User {
        let until = Some(UNIX_EPOCH + Duration::from_secs(1_798_761_600));
        let sealing = Sealing { until, is_seipd_v2: true, is_post_quantum: false };
        User {
            address: name.contains('@').then(|| name.to_owned()),
            path: format!("{name}.asc"),
            fingerprints: fingerprints.iter().map(|one| (*one).to_owned()).collect(),
            sealing: (!fingerprints.is_empty()).then_some(sealing),
            wrong: wrong.map(str::to_owned),
        }
    }

    #[test]
    fn columns_are_aligned_and_nothing_in_them_drives_a_terminal() {
        let long = format!("{}@x", "a".repeat(60));
        let users = Ok(vec![
            user("a\x1b[2J\n", &[], Some("Permission denied (os error 13)")),
            user("j\u{f6}rg@x", &["71B7", "9D3F"], Some("expires on 2027-01-01; extend it")),
            user(&long, &["84AC"], None),
        ]);
        let expected = format!(
            "address                                   fingerprint  ends        SEIPDv2  PQ\n\
             a\\x1b[2J\\x0a.asc                          -            -           -        -    Permission denied\n\
             j\\u{{f6}}rg@x                               71B7 +1      2027-01-01  yes      no   expires on 2027-01-01\n\
             {long}  84AC         2027-01-01  yes      no\n\
             users: 3; something is wrong with: 2\n"
        );
        assert_eq!(text(&users), expected);
        assert!(text(&users).is_ascii());
    }

    #[test]
    fn json_says_the_same_and_the_way_out() {
        let users = Ok(vec![user("README", &[], Some("a\"b")), user("alice@x", &["71B7"], None)]);
        let read: serde_json::Value = serde_json::from_str(&json(Path::new("/certs"), &users)).unwrap();
        assert_eq!((&read["directory"], &read["wrong"]), (&"/certs".into(), &1.into()));
        let [odd, alice] = &read["users"].as_array().unwrap()[..] else { panic!("{read}") };
        assert!(odd["address"].is_null() && odd["ends"].is_null() && odd["seipd_v2"].is_null());
        assert_eq!((&odd["file"], &odd["wrong"]), (&"README.asc".into(), &"a\"b".into()));
        assert_eq!((&alice["address"], &alice["ends"]), (&"alice@x".into(), &"2027-01-01".into()));
        assert_eq!((&alice["seipd_v2"], &alice["post_quantum"]), (&true.into(), &false.into()));
        assert_eq!((&alice["fingerprints"][0], alice["wrong"].is_null()), (&"71B7".into(), true));
    }

    #[test]
    fn a_directory_without_users_says_why() {
        let none = Err(anyhow::anyhow!("/certs: no such directory"));
        assert_eq!(text(&none), "problem: /certs: no such directory\n");
        let read: serde_json::Value = serde_json::from_str(&json(Path::new("/certs"), &none)).unwrap();
        assert_eq!(
            (&read["problem"], &read["users"]),
            (&"/certs: no such directory".into(), &serde_json::json!([]))
        );
    }
}
