//! The page in a real browser, as a web server gives it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::{figures, fill, summary};
use crate::world::World;

/// A web server on loopback that knows one page and remembers what it was asked for.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn of(page: Vec<u8>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let paths = Arc::clone(&asked);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                match path_of(&stream).as_deref() {
                    Some("/stop") => break,
                    // A browser connects ahead, and asks later or never.
                    None => {}
                    Some(path) => {
                        paths.lock().expect("no panic").push(path.to_owned());
                        let (status, body) =
                            if path == "/" { ("200 OK", &page[..]) } else { ("404 Not Found", &b""[..]) };
                        let head = format!(
                            "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                            body.len()
                        );
                        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
                    }
                }
            }
        });
        Server { address, asked, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            let _ = stream.write_all(b"GET /stop HTTP/1.1\r\n\r\n");
        }
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn path_of(stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(2))).ok()?;
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next()?;
    // All of the request, or the answer would meet a closed connection.
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    request.split(' ').nth(1).map(str::to_owned)
}

/// What a browser made of a page.
struct Seen {
    document: String,
    picture: Vec<u8>,
    /// What the console of a developer shows.
    console: Vec<String>,
    asked: Vec<String>,
}

/// Shows `page` to a headless Chromium that reaches loopback only.
fn seen(world: &World, page: &[u8], scheme: &str) -> Seen {
    let server = Server::of(page.to_vec());
    let picture = world.path("picture.png");
    let outcome = world
        .command("/usr/bin/chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--window-size=1280,1600"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", world.path("browser").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg("--dump-dom")
        .arg(format!("http://{}/", server.address))
        .run();
    assert_eq!(outcome.status(), 0, "apt-get install chromium? {}", outcome.stderr());
    let console =
        outcome.stderr().lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    let asked = server.asked.lock().expect("no panic").clone();
    Seen {
        document: String::from_utf8(outcome.stdout().to_vec()).expect("UTF-8"),
        picture: fs::read(&picture).expect("a picture"),
        console,
        asked,
    }
}

const DARK: &str = "0";
const LIGHT: &str = "1";

fn page(world: &World) -> Vec<u8> {
    let outcome = summary(world, &["--summary", "Maildir", "mbox", "--html", "page.html"]);
    assert!(matches!(outcome.status(), 0 | 66), "{}", outcome.stderr());
    fs::read(world.path("page.html")).expect("a page")
}

#[test]
fn the_page_shows_all_figures_and_asks_for_nothing_else() {
    let world = World::new();
    fill(&world);
    let page = page(&world);
    let light = seen(&world, &page, LIGHT);
    assert_eq!(light.console, [""; 0]);
    assert!(light.asked.iter().all(|path| path == "/" || path == "/favicon.ico"), "{:?}", light.asked);
    let text = shown(&light.document);
    let value = figures(summary(&world, &["--summary", "Maildir", "mbox", "--json"]));
    for figure in [
        "40.0 % of the mail that tells came over TLS: 2 of 5 messages".to_owned(),
        format!("{} messages in 3 mailboxes November 2026", value["messages"]),
        "over TLS 2 33.3 %".to_owned(),
        "in the clear 3 50.0 %".to_owned(),
        "not visible 1 16.7 %".to_owned(),
        "TLSv1.3 2 100 %".to_owned(),
        "clear.example mail.clear.example [192.0.2.7] 2 2026-11-03".to_owned(),
        "other.example mail.other.example [192.0.2.7] 1 2026-11-03".to_owned(),
        "2026-11 5 2 3 0 0 0 60.0 %".to_owned(),
    ] {
        assert!(text.contains(&figure), "{figure:?} is not in {text}");
    }
    let dark = seen(&world, &page, DARK);
    assert_eq!(dark.document, light.document);
    assert_ne!(dark.picture, light.picture, "dark and light look alike");
    let blank = seen(&world, b"<!doctype html><title>x</title>", LIGHT).picture;
    assert!(blank.starts_with(b"\x89PNG") && light.picture.len() > 4 * blank.len(), "a blank picture");
}

/// The text of a document, its tags gone and its blanks alike.
fn shown(document: &str) -> String {
    let body = document.split_once("<body>").expect("a body").1;
    let text: String =
        body.split('<').filter_map(|piece| Some(format!(" {}", piece.split_once('>')?.1))).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_would_run_or_call_home_is_seen_by_this_test() {
    let world = World::new();
    let page = b"<!doctype html><img src=/spy><script>console.log('ran')</script><p>hi";
    let free = seen(&world, page, LIGHT);
    assert!(free.asked.iter().any(|path| path == "/spy"), "{:?}", free.asked);
    assert!(free.console.iter().any(|line| line.contains("ran")), "{:?}", free.console);
}

#[test]
fn the_page_would_stop_what_slipped_in() {
    let world = World::new();
    fill(&world);
    let page = String::from_utf8(page(&world)).unwrap();
    let broken = page.replace("<main>", "<main><img src=/spy><script>console.log('ran')</script>");
    assert_ne!(broken, page);
    let seen = seen(&world, broken.as_bytes(), LIGHT);
    assert!(!seen.asked.iter().any(|path| path == "/spy"), "{:?}", seen.asked);
    assert_eq!(seen.console.iter().filter(|line| line.contains("Content Security Policy")).count(), 2);
    assert!(!seen.console.iter().any(|line| line.contains("\"ran\"")), "{:?}", seen.console);
}

#[test]
fn hostile_names_are_text_in_the_browser() {
    let world = World::new();
    fill(&world);
    let name = "<img src=x onerror=alert(1)>";
    symlink("x", world.path(&format!("Maildir/cur/{name}"))).unwrap();
    let seen = seen(&world, &page(&world), LIGHT);
    assert_eq!(seen.console, [""; 0]);
    assert!(!seen.document.contains("<img"), "{}", seen.document);
    assert!(
        seen.document.contains("cur/&lt;img src=x onerror=alert(1)&gt;: is no regular file"),
        "{}",
        seen.document
    );
}
