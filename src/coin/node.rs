//! The network's figures as nodes print them: `getblockchaininfo` and `getmininginfo` of Bitcoin Core, `get_info` of
//! monerod.

use serde_json::{Map, Value};

use super::bitcoin::{CompactTarget, Target};
use super::{Coin, NetworkPoint};
use crate::coin::history;

/// Why a document of a node can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// No JSON.
    #[error("it is no JSON: {0}")]
    NoJson(String),
    /// An error that a node answered with.
    #[error("the node answered with an error: {0}")]
    Answer(String),
    /// JSON of something else.
    #[error("it is none of getblockchaininfo, getmininginfo (bitcoin-cli) and get_info (monerod): {reason}")]
    Form {
        /// What is missing or wrong.
        reason: String,
    },
    /// A test network.
    #[error("it is of the network {name:?} of {}, not of the main network", .coin.name())]
    TestNetwork {
        /// The coin.
        coin: Coin,
        /// The network's name.
        name: String,
    },
    /// The network of another coin.
    #[error("it is of {}, but the coin asked for is {}", .found.name(), .asked.name())]
    OtherCoin {
        /// Whose it is.
        found: Coin,
        /// Which one was asked for.
        asked: Coin,
    },
}

/// Reads what a node printed, with or without the envelope of JSON-RPC. `asked` is the coin that it has to be of.
///
/// # Errors
///
/// [`NodeError`] where it is of another network or something else.
pub fn read_node(text: &str, asked: Option<Coin>) -> Result<NetworkPoint, NodeError> {
    let document: Value = serde_json::from_str(text).map_err(|error| NodeError::NoJson(error.to_string()))?;
    let form = |reason: &str| NodeError::Form { reason: reason.to_owned() };
    let mut fields = document.as_object().ok_or_else(|| form("it is no object"))?;
    if let Some(error) = fields.get("error").filter(|error| !error.is_null()) {
        let message = error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
        return Err(NodeError::Answer(message));
    }
    if let Some(result) = fields.get("result") {
        fields = result.as_object().ok_or_else(|| form("its result is no object"))?;
    }
    let found = if fields.contains_key("chain") && fields.contains_key("blocks") {
        Coin::Btc
    } else if fields.contains_key("nettype") || fields.contains_key("mainnet") {
        Coin::Xmr
    } else {
        return Err(form("it has neither the fields chain and blocks nor nettype"));
    };
    if let Some(asked) = asked.filter(|asked| *asked != found) {
        return Err(NodeError::OtherCoin { found, asked });
    }
    match found {
        Coin::Btc => bitcoin_core(fields),
        Coin::Xmr => monerod(fields),
    }
}

fn bitcoin_core(fields: &Map<String, Value>) -> Result<NetworkPoint, NodeError> {
    let form = |reason: String| NodeError::Form { reason };
    let chain = fields["chain"].as_str().ok_or_else(|| form("its chain is no text".to_owned()))?;
    if chain != "main" {
        return Err(NodeError::TestNetwork { coin: Coin::Btc, name: chain.to_owned() });
    }
    let blocks = fields["blocks"].as_u64().ok_or_else(|| form("its blocks are no height".to_owned()))?;
    let difficulty = decimal(fields, "difficulty")?;
    let mut point =
        NetworkPoint::with_difficulty(Coin::Btc, &difficulty, Some(blocks)).map_err(|error| form(error.to_string()))?;
    // Newer nodes print the target itself, of which the difficulty is a rounded quotient.
    if let Some(bits) = fields.get("bits").and_then(Value::as_str) {
        let target = u32::from_str_radix(bits, 16).ok().and_then(|bits| Target::try_from(CompactTarget(bits)).ok());
        let target = target.ok_or_else(|| form(format!("its bits {bits:?} are no target")))?;
        if (target.difficulty() / point.difficulty - 1.0).abs() > 1e-6 {
            return Err(form(format!("its bits {bits} and its difficulty {difficulty} contradict each other")));
        }
        point.hashes_per_block = target.work().to_u256();
        point.difficulty = target.difficulty();
    }
    let time = fields.get("time").or_else(|| fields.get("mediantime")).and_then(Value::as_i64);
    point.as_of = time.map(history::format_day);
    let method = if fields.contains_key("headers") { "getblockchaininfo" } else { "getmininginfo" };
    method.clone_into(&mut point.source);
    Ok(point)
}

fn monerod(fields: &Map<String, Value>) -> Result<NetworkPoint, NodeError> {
    let form = |reason: String| NodeError::Form { reason };
    let is_main = fields.get("mainnet").and_then(Value::as_bool);
    let name = fields.get("nettype").and_then(Value::as_str);
    if is_main == Some(false) || name.is_some_and(|name| name != "mainnet") {
        let name = name.unwrap_or("not mainnet").to_owned();
        return Err(NodeError::TestNetwork { coin: Coin::Xmr, name });
    }
    let height = fields.get("height").and_then(Value::as_u64);
    let height = height.ok_or_else(|| form("its height is missing or no whole number".to_owned()))?;
    let difficulty = match fields.get("wide_difficulty").and_then(Value::as_str) {
        Some(wide) => {
            let digits = wide.strip_prefix("0x").unwrap_or(wide);
            let value = u128::from_str_radix(digits, 16);
            value.map_err(|_| form(format!("its wide_difficulty {wide:?} is no number")))?.to_string()
        }
        None => decimal(fields, "difficulty")?,
    };
    let mut point =
        NetworkPoint::with_difficulty(Coin::Xmr, &difficulty, Some(height)).map_err(|error| form(error.to_string()))?;
    "get_info".clone_into(&mut point.source);
    Ok(point)
}

/// A number of a document as plain decimal text.
fn decimal(fields: &Map<String, Value>, name: &str) -> Result<String, NodeError> {
    let number = match fields.get(name) {
        Some(Value::Number(number)) => number,
        Some(_) => return Err(NodeError::Form { reason: format!("its {name} is no number") }),
        None => return Err(NodeError::Form { reason: format!("it has no {name}") }),
    };
    // Floats print in full here, without an exponent.
    Ok(number.as_u64().map_or_else(|| number.as_f64().unwrap_or(f64::NAN).to_string(), |whole| whole.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKCHAIN_INFO: &str = r#"{"chain":"main","blocks":512064,"headers":512064,
        "bestblockhash":"00","difficulty":3290605988755.001,"time":1520223678,"mediantime":1520222000,
        "verificationprogress":0.9999,"pruned":false,"warnings":""}"#;
    const GET_INFO: &str = r#"{"id":"0","jsonrpc":"2.0","result":{"difficulty":684042855887,"height":3707001,
        "mainnet":true,"nettype":"mainnet","status":"OK","wide_difficulty":"0x9f4421a5cf"}}"#;

    #[test]
    fn bitcoin_core_tells_height_and_difficulty() {
        let point = read_node(BLOCKCHAIN_INFO, Some(Coin::Btc)).unwrap();
        assert_eq!((point.coin, point.height, point.subsidy_coins()), (Coin::Btc, Some(512_064), 12.5));
        assert_eq!(point.difficulty, 3_290_605_988_755.001);
        assert_eq!((point.as_of.as_deref(), point.source.as_str()), (Some("2018-03-05"), "getblockchaininfo"));
        let mining = r#"{"blocks":953568,"currentblocktx":0,"bits":"170240c3","difficulty":124932866006548.2,
            "networkhashps":1e21,"pooledtx":5,"chain":"main"}"#;
        let point = read_node(mining, None).unwrap();
        assert_eq!(point.hashes_per_block.to_string(), "536590761418915805470629");
        assert_eq!((point.source.as_str(), point.as_of), ("getmininginfo", None));
    }

    #[test]
    fn monerod_tells_height_and_difficulty() {
        for asked in [None, Some(Coin::Xmr)] {
            let point = read_node(GET_INFO, asked).unwrap();
            assert_eq!((point.coin, point.height, point.difficulty), (Coin::Xmr, Some(3_707_001), 684_042_855_887.0));
        }
        let plain = r#"{"difficulty":5,"height":3707001,"nettype":"mainnet"}"#;
        assert_eq!(read_node(plain, None).unwrap().difficulty, 5.0);
    }

    #[test]
    fn other_networks_are_refused_by_name() {
        let refused = |text: &str, asked| read_node(text, asked).unwrap_err().to_string();
        assert_eq!(refused(GET_INFO, Some(Coin::Btc)), "it is of Monero, but the coin asked for is Bitcoin");
        assert_eq!(refused(BLOCKCHAIN_INFO, Some(Coin::Xmr)), "it is of Bitcoin, but the coin asked for is Monero");
        for chain in ["test", "testnet4", "signet", "regtest"] {
            let text = BLOCKCHAIN_INFO.replace("\"main\"", &format!("{chain:?}"));
            let expected = format!("it is of the network {chain:?} of Bitcoin, not of the main network");
            assert_eq!(refused(&text, None), expected);
        }
        let stagenet = GET_INFO.replace("\"mainnet\":true,\"nettype\":\"mainnet\"", "\"nettype\":\"stagenet\"");
        assert!(refused(&stagenet, None).contains("\"stagenet\" of Monero"));
        let testnet = GET_INFO.replace("\"mainnet\":true", "\"mainnet\":false");
        assert!(refused(&testnet, None).contains("not of the main network"));
    }

    #[test]
    fn what_is_no_answer_of_a_node_is_refused() {
        for (text, reason) in [
            ("", "it is no JSON"),
            ("5", "it is no object"),
            ("{}", "neither the fields"),
            (r#"{"result":null,"error":{"code":-28,"message":"Loading block index"}}"#, "error: Loading block index"),
            (r#"{"result":5,"error":null}"#, "its result is no object"),
            (r#"{"chain":5,"blocks":1}"#, "its chain is no text"),
            (r#"{"chain":"main","blocks":-1}"#, "its blocks are no height"),
            (r#"{"chain":"main","blocks":1}"#, "it has no difficulty"),
            (r#"{"chain":"main","blocks":1,"difficulty":"x"}"#, "its difficulty is no number"),
            (r#"{"chain":"main","blocks":1,"difficulty":0}"#, "must be above zero"),
            (r#"{"chain":"main","blocks":1,"difficulty":-5}"#, "must be above zero"),
            (r#"{"chain":"main","blocks":1,"difficulty":5,"bits":"xyz"}"#, "its bits \"xyz\" are no target"),
            (r#"{"chain":"main","blocks":1,"difficulty":5,"bits":"170240c3"}"#, "contradict each other"),
            (r#"{"nettype":"mainnet"}"#, "its height is missing"),
            (r#"{"nettype":"mainnet","height":1,"wide_difficulty":"0xz"}"#, "is no number"),
        ] {
            let error = read_node(text, None).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
