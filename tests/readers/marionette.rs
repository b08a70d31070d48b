//! A client of Marionette, the remote control of Mozilla's programs: `LENGTH:JSON` over TCP.
//!
//! A command is `[0, number, name, parameters]`, its answer `[1, number, error, result]`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// No answer takes longer on a machine that is merely slow.
const PATIENCE: Duration = Duration::from_secs(90);

/// A connection with a session in the program's own (chrome) context.
pub struct Marionette {
    stream: TcpStream,
    number: u64,
}

impl Marionette {
    /// Connects to loopback, hears the greeting and opens a session.
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("Marionette on loopback");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let mut marionette = Marionette { stream, number: 0 };
        let greeting = marionette.frame();
        assert_eq!(greeting["marionetteProtocol"], 3, "{greeting}");
        marionette.command("WebDriver:NewSession", json!({}));
        marionette.command("WebDriver:SetTimeouts", json!({ "script": PATIENCE.as_millis() as u64 }));
        marionette.command("Marionette:SetContext", json!({ "value": "chrome" }));
        marionette
    }

    /// Runs the body of an asynchronous function with `arguments`; what it returns, once it is settled.
    pub fn run(&mut self, body: &str, arguments: Value) -> Value {
        let script = format!(
            "const settle = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then(value => settle({{ value }}),
                 error => settle({{ error: `${{error}} ${{error.stack}}` }}));"
        );
        let parameters = json!({ "script": script, "args": arguments, "sandbox": "system" });
        let mut answer = self.command("WebDriver:ExecuteAsyncScript", parameters)["value"].take();
        assert!(answer["error"].is_null(), "{}", answer["error"]);
        answer["value"].take()
    }

    fn command(&mut self, name: &str, parameters: Value) -> Value {
        self.number += 1;
        let text = json!([0, self.number, name, parameters]).to_string();
        write!(self.stream, "{}:{text}", text.len()).expect("a command sent");
        let mut answer = self.frame();
        assert_eq!(answer[1], self.number, "{answer}");
        assert!(answer[2].is_null(), "{name}: {}", answer[2]);
        answer[3].take()
    }

    fn frame(&mut self) -> Value {
        let mut len = 0;
        loop {
            let mut octet = [0];
            self.stream.read_exact(&mut octet).expect("a frame's length");
            match octet[0] {
                b':' => break,
                digit => len = len * 10 + usize::from(digit - b'0'),
            }
        }
        let mut frame = vec![0; len];
        self.stream.read_exact(&mut frame).expect("a whole frame");
        serde_json::from_slice(&frame).expect("JSON")
    }
}
