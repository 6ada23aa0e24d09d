//! Messages of pools and miners: Stratum of Bitcoin and of Monero, getwork and getblocktemplate.
//!
//! All of them are JSON-RPC. A message is read whole or not at all; what is kept of it is bounded.

use serde_json::{Map, Value};

use crate::traffic::escape::printable;

/// The longest id of a request or a job that is kept.
const ID_LETTERS_MAX: usize = 128;

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A miner asks for something; the id comes again in the answer.
    Request(String, Request),
    /// A pool tells something unasked.
    Notice(Notice),
    /// A pool answers the request of this id.
    Answer(String, Answer),
}

/// What miners ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `mining.subscribe`, `mining.authorize`, `mining.configure` and such.
    BitcoinLogin,
    /// `login`.
    MoneroLogin,
    /// `mining.submit`, of the job named.
    BitcoinSubmit(String),
    /// `submit`, of the job named.
    MoneroSubmit(String),
    /// `getwork` without parameters.
    GetWork,
    /// `getwork` with a solution.
    GetWorkSubmit,
    /// `getblocktemplate` that asks for work.
    GetBlockTemplate,
    /// `submitblock`.
    SubmitBlock,
    /// `keepalived`, `mining.ping` and other requests that are known and say nothing of work.
    Idle,
}

/// What pools tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// `mining.set_difficulty`: from the next job on.
    Difficulty(f64),
    /// `mining.notify`: a job.
    BitcoinJob(String),
    /// `job`: with the hashes that a share takes on average.
    MoneroJob(String, f64),
    /// Other notices that are known.
    Idle,
}

/// What pools answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It went well; nothing more is known of it.
    Accepted,
    /// It was refused, with the reason.
    Refused(String),
    /// A login went well and brought a job, with the hashes that a share of it takes on average.
    MoneroJob(String, f64),
    /// Work of getwork, with the hashes that a share takes on average.
    Work(f64),
    /// A block template, with the hashes that a block takes on average where its target is there.
    Template(Option<f64>),
}

/// Reads a message.
///
/// # Errors
///
/// What is wrong with it: no JSON, no JSON-RPC of mining, or a figure in it that can't be.
pub fn parse(text: &[u8]) -> Result<Message, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| format!("no JSON: {error}"))?;
    parse_value(&value)
}

/// Reads a message that is JSON already.
///
/// # Errors
///
/// Those of [`parse`].
pub fn parse_value(value: &Value) -> Result<Message, String> {
    let Value::Object(fields) = value else { return Err("the message is no JSON object".to_owned()) };
    match fields.get("method") {
        Some(Value::String(method)) => call(method, fields),
        Some(_) => Err("its method is no text".to_owned()),
        None if fields.contains_key("result") || fields.contains_key("error") => {
            Ok(Message::Answer(id(fields.get("id")), answer(fields)?))
        }
        None => Err("it has neither a method nor a result".to_owned()),
    }
}

fn call(method: &str, fields: &Map<String, Value>) -> Result<Message, String> {
    let none = Value::Null;
    let params = fields.get("params").unwrap_or(&none);
    let request = |request| Ok(Message::Request(id(fields.get("id")), request));
    match method {
        "mining.subscribe"
        | "mining.authorize"
        | "mining.configure"
        | "mining.suggest_difficulty"
        | "mining.suggest_target"
        | "mining.extranonce.subscribe" => request(Request::BitcoinLogin),
        "mining.submit" => request(Request::BitcoinSubmit(text(params.get(1)).ok_or("a submit names no job")?)),
        "mining.get_transactions"
        | "mining.ping"
        | "mining.pong"
        | "mining.multi_version"
        | "keepalived"
        | "getjob" => request(Request::Idle),
        "login" => request(Request::MoneroLogin),
        "submit" => request(Request::MoneroSubmit(text(params.get("job_id")).ok_or("a submit names no job")?)),
        "getwork" if params.as_array().is_some_and(|params| !params.is_empty()) => request(Request::GetWorkSubmit),
        "getwork" => request(Request::GetWork),
        "getblocktemplate" => request(template_request(params)),
        "submitblock" => request(Request::SubmitBlock),
        "mining.set_difficulty" => {
            let difficulty = number(params.get(0)).filter(|difficulty| (1e-12..=1e24).contains(difficulty));
            Ok(Message::Notice(Notice::Difficulty(difficulty.ok_or("its difficulty can't be one")?)))
        }
        "mining.notify" => {
            let job = text(params.get(0)).ok_or("a job has no id")?;
            Ok(Message::Notice(Notice::BitcoinJob(job)))
        }
        "job" => {
            let (job, hashes) = monero_job(params)?;
            Ok(Message::Notice(Notice::MoneroJob(job, hashes)))
        }
        "mining.set_extranonce"
        | "mining.set_version_mask"
        | "mining.set_goal"
        | "client.reconnect"
        | "client.show_message"
        | "client.get_version" => Ok(Message::Notice(Notice::Idle)),
        _ => Err(format!("its method {:?} belongs to no protocol of mining that is known", printable(method))),
    }
}

/// A template is asked for, or a solution is proposed.
fn template_request(params: &Value) -> Request {
    let mode = params.get(0).and_then(|request| request.get("mode")).and_then(Value::as_str);
    if mode == Some("proposal") { Request::SubmitBlock } else { Request::GetBlockTemplate }
}

fn answer(fields: &Map<String, Value>) -> Result<Answer, String> {
    match fields.get("error") {
        None | Some(Value::Null) => {}
        Some(error) => return Ok(Answer::Refused(reason(error))),
    }
    let Some(result) = fields.get("result") else { return Ok(Answer::Accepted) };
    match result {
        Value::Bool(false) => {
            let reason = text(fields.get("reject-reason")).unwrap_or_else(|| "no reason is given".to_owned());
            Ok(Answer::Refused(printable(&reason)))
        }
        // submitblock answers with the reason of a refusal, and with null where there is none.
        Value::String(reason) => Ok(Answer::Refused(printable(reason))),
        Value::Object(result) => {
            if let Some(job) = result.get("job") {
                let (job, hashes) = monero_job(job)?;
                return Ok(Answer::MoneroJob(job, hashes));
            }
            let target = result.get("target").and_then(Value::as_str);
            if result.contains_key("data") {
                let hashes = target.and_then(hashes_of_target_le).ok_or("its target can't be one")?;
                return Ok(Answer::Work(hashes));
            }
            if result.contains_key("previousblockhash") || result.contains_key("coinbasetxn") {
                return Ok(Answer::Template(target.and_then(hashes_of_target_be)));
            }
            match result.get("status").and_then(Value::as_str) {
                Some("OK" | "KEEPALIVED") | None => Ok(Answer::Accepted),
                Some(status) => Ok(Answer::Refused(printable(status))),
            }
        }
        _ => Ok(Answer::Accepted),
    }
}

/// The text of an error, which is an array of code, text and trace in Bitcoin's Stratum, and an object in Monero's.
fn reason(error: &Value) -> String {
    let told = match error {
        Value::Array(parts) => parts.get(1).and_then(Value::as_str),
        Value::Object(parts) => parts.get("message").and_then(Value::as_str),
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    printable(told.unwrap_or("no reason is given"))
}

fn monero_job(job: &Value) -> Result<(String, f64), String> {
    let name = text(job.get("job_id")).ok_or("a job has no id")?;
    let target = job.get("target").and_then(Value::as_str).ok_or("a job has no target")?;
    let hashes = hashes_of_monero_target(target).ok_or("its target can't be one")?;
    Ok((name, hashes))
}

/// The id of a request: a number or a text. None at all counts as `null`.
fn id(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => bounded(text),
        Some(Value::Number(number)) => number.to_string(),
        _ => "null".to_owned(),
    }
}

/// A text, or a number in its place, cut off where it is long.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(bounded(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(ID_LETTERS_MAX).collect()
}

/// A number, or a text that is one, as some pools send.
fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The hashes that a share takes on average by a job's target: four or eight bytes, little end first. As many bytes
/// from the end of a share's hash are below it.
pub(super) fn hashes_of_monero_target(hex: &str) -> Option<f64> {
    let mut bytes = [0_u8; 8];
    let length = hex.len() / 2;
    if !matches!(length, 4 | 8) || !hex.len().is_multiple_of(2) {
        return None;
    }
    const_hex::decode_to_slice(hex, &mut bytes[..length]).ok()?;
    let target = u64::from_le_bytes(bytes);
    let values = if length == 4 { 2_f64.powi(32) } else { 2_f64.powi(64) };
    (target > 0).then(|| values / target as f64)
}

/// The hashes that a share takes on average by a target of 32 bytes, little end first.
pub(super) fn hashes_of_target_le(hex: &str) -> Option<f64> {
    let mut bytes = [0_u8; 32];
    const_hex::decode_to_slice(hex, &mut bytes).ok()?;
    let target = bytes.iter().rev().fold(0.0, |value, byte| value * 256.0 + f64::from(*byte));
    Some(2_f64.powi(256) / (target + 1.0))
}

/// The same for a target big end first.
pub(super) fn hashes_of_target_be(hex: &str) -> Option<f64> {
    let mut bytes = [0_u8; 32];
    const_hex::decode_to_slice(hex, &mut bytes).ok()?;
    let target = bytes.iter().fold(0.0, |value, byte| value * 256.0 + f64::from(*byte));
    Some(2_f64.powi(256) / (target + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Message {
        parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Lines of public captures: bfgminer at Bitminter (jsiwek/zeek-cryptomining), and xmr.suprnova.cc
    /// (nesfit/DI-cryptominingdetection), shortened.
    #[test]
    fn lines_of_captures_are_understood() {
        let request = |id: &str, request| Message::Request(id.to_owned(), request);
        for (text, message) in [
            (
                r#"{"id": 0, "method": "mining.subscribe", "params": ["bfgminer/5.2.0"]}"#,
                request("0", Request::BitcoinLogin),
            ),
            (
                r#"{"id": "auth", "method": "mining.authorize", "params": ["u", "1"]}"#,
                request("auth", Request::BitcoinLogin),
            ),
            (
                r#"{"method":"mining.set_difficulty","params":[4096],"id":1}"#,
                Message::Notice(Notice::Difficulty(4096.0)),
            ),
            (
                r#"{"method":"mining.notify","params":["274a-1","fb"]}"#,
                Message::Notice(Notice::BitcoinJob("274a-1".into())),
            ),
            (
                r#"{"params":["u","274a-1","00","5b","ff"],"id":7,"method":"mining.submit"}"#,
                request("7", Request::BitcoinSubmit("274a-1".into())),
            ),
            (r#"{"result":true,"error":null,"id":"auth"}"#, Message::Answer("auth".into(), Answer::Accepted)),
            (
                r#"{"id":0,"result":null,"error":[20,"Parse error",null]}"#,
                Message::Answer("0".into(), Answer::Refused("Parse error".into())),
            ),
            (
                r#"{"method": "login", "params": {"login": "a.b", "pass": "x", "agent": "xmr/1.0"}, "id": 1}"#,
                request("1", Request::MoneroLogin),
            ),
            (
                r#"{"method": "submit", "params": {"id": "9", "job_id": "397", "result": "00"}, "id":4}"#,
                request("4", Request::MoneroSubmit("397".into())),
            ),
            (
                r#"{"id":4,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}"#,
                Message::Answer("4".into(), Answer::Accepted),
            ),
            (
                r#"{"id":4,"jsonrpc":"2.0","error":{"code":-1,"message":"Low difficulty share"}}"#,
                Message::Answer("4".into(), Answer::Refused("Low difficulty share".into())),
            ),
            (r#"{"id":1,"method":"getwork","params":[]}"#, request("1", Request::GetWork)),
            (r#"{"id":1,"method":"getwork","params":["00"]}"#, request("1", Request::GetWorkSubmit)),
            (
                r#"{"id": 0, "method": "getblocktemplate", "params": [{"maxversion": 4}]}"#,
                request("0", Request::GetBlockTemplate),
            ),
        ] {
            assert_eq!(said(text), message, "{text}");
        }
    }

    /// The target of the capture: 0x00068db8 of 2^32 is a difficulty of 10,000.
    #[test]
    fn targets_are_difficulties() {
        for (hex, hashes) in [
            ("b88d0600", 10_000.0),
            ("7b5e0400", 15_000.0),
            ("ffffffff", 1.0),
            ("b88d060000000000", 2_f64.powi(64) / 429_496.0),
        ] {
            let actual = hashes_of_monero_target(hex).unwrap();
            assert!((actual / hashes - 1.0).abs() < 2e-6, "{hex}: {actual}");
        }
        for hex in ["", "00000000", "b88d06", "b88d0600zz", "0", "b88d0600b88d0600b88d0600"] {
            assert_eq!(hashes_of_monero_target(hex), None, "{hex}");
        }
        // The target of difficulty 1 as getwork sends it, little end first.
        let target = "0000000000000000000000000000000000000000000000000000ffff00000000";
        let hashes = hashes_of_target_le(target).unwrap();
        assert!((hashes / 4_295_032_833.0 - 1.0).abs() < 1e-9, "{hashes}");
        let turned: String = (0..32).rev().map(|index| &target[2 * index..2 * index + 2]).collect();
        assert_eq!(hashes_of_target_be(&turned), Some(hashes));
    }

    #[test]
    fn what_is_no_message_is_refused_with_the_reason() {
        for (text, words) in [
            ("", "no JSON"),
            ("[]", "no JSON object"),
            ("{}", "neither a method nor a result"),
            (r#"{"method":7}"#, "its method is no text"),
            (r#"{"method":"eth_submit\u001b"}"#, "\"eth_submit\\\\u{1b}\""),
            (r#"{"method":"mining.submit","params":[]}"#, "names no job"),
            (r#"{"method":"mining.set_difficulty","params":[-5]}"#, "can't be one"),
            (r#"{"method":"mining.set_difficulty","params":["NaN"]}"#, "can't be one"),
            (r#"{"method":"mining.set_difficulty","params":[1e300]}"#, "can't be one"),
            (r#"{"method":"job","params":{"job_id":"1","target":"00000000"}}"#, "can't be one"),
            (r#"{"method":"job","params":{"target":"ffffffff"}}"#, "no id"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
        let long = format!(r#"{{"method":"mining.notify","params":["{}"]}}"#, "é".repeat(1_000));
        let Message::Notice(Notice::BitcoinJob(job)) = said(&long) else { panic!("a job") };
        assert_eq!(job.chars().count(), ID_LETTERS_MAX);
    }
}
