//! One connection between a miner and a pool: jobs, difficulties, shares, and the hash rate that follows.

use std::collections::VecDeque;

use serde::Serialize;

use super::message::{self, Answer, Message, Notice, Request};
use crate::coin::Coin;
use crate::interval::Interval;
use crate::statistics::CONFIDENCE;
use crate::traffic::{KnownShares, hashes_per_difficulty, silence};

/// Jobs whose difficulty is remembered: shares of older ones count at the present difficulty.
const JOBS_MAX: usize = 256;
/// Requests that wait for an answer.
const PENDING_MAX: usize = 1_024;
/// Difficulties that are listed. The hash rate goes by all of them.
const LISTED_MAX: usize = 1_000;
/// Texts of refusals that are kept.
const REASONS_MAX: usize = 8;

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Stratum version 1 of Bitcoin.
    StratumBtc,
    /// Stratum of Monero.
    StratumXmr,
    /// Getwork.
    Getwork,
    /// Getblocktemplate.
    Getblocktemplate,
}

impl Protocol {
    /// Returns its coin.
    pub fn coin(self) -> Coin {
        if self == Self::StratumXmr { Coin::Xmr } else { Coin::Btc }
    }

    /// Returns its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::StratumBtc => "Stratum (Bitcoin)",
            Self::StratumXmr => "Stratum (Monero)",
            Self::Getwork => "getwork",
            Self::Getblocktemplate => "getblocktemplate",
        }
    }
}

/// What became of shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Shares {
    /// Sent by the miner.
    pub submitted: u64,
    /// Accepted by the pool.
    pub accepted: u64,
    /// Refused: duplicates, too low a difficulty, stale work.
    pub refused: u64,
    /// Without an answer in the records.
    pub unanswered: u64,
}

impl Shares {
    /// Returns the shares that count: those that were accepted, and those whose answer isn't there.
    pub fn counted(&self) -> u64 {
        self.accepted + self.unanswered
    }
}

/// What was done at one difficulty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtDifficulty {
    /// Difficulty as pools count it: Bitcoin's in units of 2^32 hashes, Monero's in hashes.
    pub difficulty: f64,
    /// How long jobs of this difficulty were worked on, in seconds.
    pub duration_s: f64,
    /// Shares of such jobs that count.
    pub shares: u64,
}

/// How hard a job is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    difficulty: f64,
    /// Its place in the list, where it has one.
    listed: Option<usize>,
}

/// A session so far.
#[derive(Debug, Clone, Default)]
pub struct Session {
    protocol: Option<Protocol>,
    /// Told, and in force from the next job on.
    announced: Option<f64>,
    /// Whether the beginning was seen, so that a difficulty that wasn't told is 1.
    has_login: bool,
    /// The level of the present job.
    level: Option<Level>,
    jobs: VecDeque<(String, Level)>,
    pending: VecDeque<(String, Pending)>,
    difficulties: Vec<AtDifficulty>,
    /// Shares that count, at known difficulties, and the time of their jobs.
    known: Option<KnownShares>,
    first_s: Option<f64>,
    last_s: f64,
    shares: Shares,
    /// Shares of which the difficulty isn't known.
    unknown: u64,
    polls: u64,
    jobs_seen: u64,
    clock_steps: u64,
    block_hashes: Option<f64>,
    reasons: Vec<String>,
    messages: u64,
    faults: u64,
    first_fault: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Pending {
    Login,
    /// A share, with its job's level where that is known.
    Share(Option<Level>),
    Poll,
}

/// What a session comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionSummary {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its coin.
    pub coin: Coin,
    /// From its first to its last message, in seconds since 1970.
    pub from_s: f64,
    /// The last one.
    pub to_s: f64,
    /// How long jobs of a known difficulty were worked on, in seconds.
    pub work_s: f64,
    /// What became of shares.
    pub shares: Shares,
    /// Shares at a difficulty that was told before the records begin.
    pub shares_of_unknown_difficulty: u64,
    /// Jobs that came.
    pub jobs: u64,
    /// Requests for work, where it is asked for.
    pub polls: u64,
    /// The first thousand difficulties, in the order of their jobs.
    pub difficulties: Vec<AtDifficulty>,
    /// Hashes per second.
    pub hash_rate_hps: Option<Interval>,
    /// What the hash rate lies below (95 %), because no block was found, where nothing else bounds it.
    pub hash_rate_below_hps: Option<f64>,
    /// Why there is no hash rate.
    pub unbounded_because: Option<String>,
    /// Reasons for which shares were refused, the first few.
    pub refusals: Vec<String>,
    /// Messages that could be read.
    pub messages: u64,
    /// Messages that could not.
    pub faults: u64,
    /// What is wrong with the first of those.
    pub first_fault: Option<String>,
    /// How often a message bears an earlier time than the one before it.
    pub clock_steps: u64,
}

impl Session {
    /// Tells whether anything of a mining protocol was seen.
    pub fn is_mining(&self) -> bool {
        self.protocol.is_some()
    }

    /// Takes a message of either side.
    pub fn take(&mut self, time_s: f64, text: &[u8]) {
        self.take_parsed(time_s, message::parse(text));
    }

    /// Takes a message that was read already, or what is wrong with it.
    pub fn take_parsed(&mut self, time_s: f64, message: Result<Message, String>) {
        self.tick(time_s);
        match message {
            Ok(message) => {
                self.messages += 1;
                match message {
                    Message::Request(id, request) => self.request(id, &request),
                    Message::Notice(notice) => self.notice(notice),
                    Message::Answer(id, answer) => self.answer(&id, answer),
                }
            }
            Err(reason) => {
                self.faults += 1;
                self.first_fault.get_or_insert(reason);
            }
        }
    }

    /// Moves the clock on, also where nothing was said that can be read. A clock that runs backwards stands still.
    pub fn tick(&mut self, time_s: f64) {
        if self.first_s.is_none() {
            (self.first_s, self.last_s) = (Some(time_s), time_s);
        }
        if time_s < self.last_s {
            self.clock_steps += 1;
            return;
        }
        if let Some(level) = self.level {
            let passed_s = time_s - self.last_s;
            self.known = self.known.map(|known| known.with(level.difficulty, 0, passed_s));
            if let Some(listed) = level.listed {
                self.difficulties[listed].duration_s += passed_s;
            }
        }
        self.last_s = time_s;
    }

    fn speaks(&mut self, protocol: Protocol) {
        self.protocol.get_or_insert(protocol);
    }

    fn request(&mut self, id: String, request: &Request) {
        let pending = match request {
            Request::BitcoinLogin | Request::MoneroLogin => {
                let is_bitcoin = *request == Request::BitcoinLogin;
                self.speaks(if is_bitcoin { Protocol::StratumBtc } else { Protocol::StratumXmr });
                self.has_login = true;
                Pending::Login
            }
            Request::BitcoinSubmit(job) | Request::MoneroSubmit(job) => {
                let is_bitcoin = matches!(request, Request::BitcoinSubmit(_));
                self.speaks(if is_bitcoin { Protocol::StratumBtc } else { Protocol::StratumXmr });
                let level = self.level_of(job);
                self.submit(level)
            }
            Request::GetWork => {
                self.speaks(Protocol::Getwork);
                self.polls += 1;
                Pending::Poll
            }
            Request::GetWorkSubmit => {
                self.speaks(Protocol::Getwork);
                self.submit(self.level)
            }
            Request::GetBlockTemplate => {
                self.speaks(Protocol::Getblocktemplate);
                self.polls += 1;
                Pending::Poll
            }
            Request::SubmitBlock => {
                self.speaks(Protocol::Getblocktemplate);
                self.submit(self.level)
            }
            Request::Idle => return,
        };
        if self.pending.len() == PENDING_MAX
            && let Some((_, Pending::Share(level))) = self.pending.pop_front()
        {
            self.unanswered(level);
        }
        self.pending.push_back((id, pending));
    }

    fn submit(&mut self, level: Option<Level>) -> Pending {
        self.shares.submitted += 1;
        Pending::Share(level)
    }

    fn level_of(&self, job: &str) -> Option<Level> {
        let known = self.jobs.iter().rev().find(|(name, _)| name == job);
        known.map(|(_, level)| *level).or(self.level)
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Difficulty(difficulty) => {
                self.speaks(Protocol::StratumBtc);
                self.announced = Some(difficulty);
            }
            Notice::BitcoinJob(job) => {
                self.speaks(Protocol::StratumBtc);
                // Pools that say nothing mean 1, if only their first words were heard.
                let silent = self.has_login && self.level.is_none();
                let difficulty = self.announced.take().or(silent.then_some(1.0));
                self.job(job, difficulty);
            }
            Notice::MoneroJob(job, hashes) => {
                self.speaks(Protocol::StratumXmr);
                self.job_of(job, hashes);
            }
            Notice::Idle => {}
        }
    }

    /// A job comes, a share of which takes so many hashes on average.
    fn job_of(&mut self, job: String, hashes_per_share: f64) {
        let coin = self.protocol.map_or(Coin::Btc, Protocol::coin);
        self.job(job, Some(hashes_per_share / hashes_per_difficulty(coin)));
    }

    /// A job comes; with a difficulty of its own, or with that of the last one.
    fn job(&mut self, job: String, difficulty: Option<f64>) {
        self.jobs_seen += 1;
        if let Some(difficulty) = difficulty {
            let coin = self.protocol.map_or(Coin::Btc, Protocol::coin);
            self.known.get_or_insert(KnownShares::new(coin));
            self.level = Some(Level { difficulty, listed: self.list(difficulty) });
        }
        let Some(level) = self.level else { return };
        if self.jobs.len() == JOBS_MAX {
            self.jobs.pop_front();
        }
        self.jobs.push_back((job, level));
    }

    /// Returns the place of a difficulty in the list.
    fn list(&mut self, difficulty: f64) -> Option<usize> {
        let known = self.difficulties.iter().rposition(|listed| listed.difficulty == difficulty);
        if known.is_none() && self.difficulties.len() < LISTED_MAX {
            self.difficulties.push(AtDifficulty { difficulty, duration_s: 0.0, shares: 0 });
            return Some(self.difficulties.len() - 1);
        }
        known
    }

    fn answer(&mut self, id: &str, answer: Answer) {
        let waiting = self.pending.iter().position(|(name, _)| name == id);
        let pending = waiting.and_then(|place| self.pending.remove(place)).map(|(_, pending)| pending);
        match (pending, answer) {
            (Some(Pending::Share(_)), Answer::Refused(reason)) => {
                self.shares.refused += 1;
                if self.reasons.len() < REASONS_MAX && !self.reasons.contains(&reason) {
                    self.reasons.push(reason);
                }
            }
            (Some(Pending::Share(level)), _) => {
                self.shares.accepted += 1;
                self.count(level);
            }
            (Some(Pending::Login | Pending::Poll), Answer::MoneroJob(job, hashes)) => self.job_of(job, hashes),
            (Some(Pending::Poll), Answer::Work(hashes)) => self.job_of(String::new(), hashes),
            (Some(Pending::Poll), Answer::Template(hashes)) => {
                self.jobs_seen += 1;
                self.block_hashes = hashes.or(self.block_hashes);
            }
            _ => {}
        }
    }

    fn unanswered(&mut self, level: Option<Level>) {
        self.shares.unanswered += 1;
        self.count(level);
    }

    fn count(&mut self, level: Option<Level>) {
        let Some(level) = level else {
            self.unknown += 1;
            return;
        };
        self.known = self.known.map(|known| known.with_shares(1));
        if let Some(listed) = level.listed {
            self.difficulties[listed].shares += 1;
        }
    }

    /// Ends the session. `None` where it has nothing to do with mining.
    ///
    /// The time of a difficulty is that from its first job to the next difficulty's first, or to the last packet.
    pub fn finish(mut self) -> Option<SessionSummary> {
        let protocol = self.protocol?;
        for (_, pending) in std::mem::take(&mut self.pending) {
            if let Pending::Share(level) = pending {
                self.unanswered(level);
            }
        }
        let hash_rate_hps = self.known.and_then(|known| known.hash_rate_hps(CONFIDENCE));
        let hash_rate_below_hps = self.below_hps().filter(|_| hash_rate_hps.is_none());
        Some(SessionSummary {
            protocol,
            coin: protocol.coin(),
            from_s: self.first_s.unwrap_or(0.0),
            to_s: self.last_s,
            work_s: self.known.map_or(0.0, |known| known.seconds()),
            shares: self.shares,
            shares_of_unknown_difficulty: self.unknown,
            jobs: self.jobs_seen,
            polls: self.polls,
            unbounded_because: self.unbounded_because(protocol, hash_rate_hps.is_some()),
            hash_rate_hps,
            hash_rate_below_hps,
            difficulties: self.difficulties,
            refusals: self.reasons,
            messages: self.messages,
            faults: self.faults,
            first_fault: self.first_fault,
            clock_steps: self.clock_steps,
        })
    }

    /// What a silence bounds: no block in this time, at so many hashes a block.
    fn below_hps(&self) -> Option<f64> {
        let time_s = self.last_s - self.first_s?;
        let is_silent = self.shares.submitted == 0 && time_s > 0.0;
        self.block_hashes.filter(|_| is_silent).map(|hashes| silence(CONFIDENCE) * hashes / time_s)
    }

    fn unbounded_because(&self, protocol: Protocol, has_rate: bool) -> Option<String> {
        let text = match protocol {
            _ if has_rate => return None,
            Protocol::Getblocktemplate => {
                "who mines by block templates tells of blocks that were found, and of nothing below"
            }
            Protocol::Getwork => "no answer with a target is in the records",
            _ if self.jobs_seen == 0 => "no job is in the records",
            _ if self.level.is_none() => {
                "the difficulty was told before the records begin, or in packets that are missing"
            }
            _ => "no time passed between the first job and the last message",
        };
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays messages at their times.
    fn play(messages: &[(f64, &str)]) -> SessionSummary {
        let mut session = Session::default();
        messages.iter().for_each(|(time_s, text)| session.take(*time_s, text.as_bytes()));
        session.finish().unwrap()
    }

    const SUBSCRIBE: &str = r#"{"id":1,"method":"mining.subscribe","params":[]}"#;

    fn submit(id: u32, job: &str) -> String {
        format!(r#"{{"id":{id},"method":"mining.submit","params":["w","{job}","0","0","0"]}}"#)
    }

    fn accept(id: u32) -> String {
        format!(r#"{{"id":{id},"result":true,"error":null}}"#)
    }

    fn refuse(id: u32) -> String {
        format!(r#"{{"id":{id},"result":null,"error":[23,"Low difficulty share",null]}}"#)
    }

    /// Difficulty 10,000, five submits in 57 s: 877 H/s, 285 to 2,050.
    #[test]
    fn the_known_answer() {
        let job = r#""job":{"blob":"04","job_id":"3","target":"b88d0600"}"#;
        let job = format!(r#"{{"id":1,"jsonrpc":"2.0","error":null,"result":{{"id":"9",{job},"status":"OK"}}}}"#);
        let mut session = Session::default();
        session.take(100.0, br#"{"method":"login","params":{},"id":1}"#);
        session.take(100.0, job.as_bytes());
        for (index, time_s) in [105.3, 134.2, 141.0, 146.0, 149.4].into_iter().enumerate() {
            let id = index + 2;
            session.take(time_s, format!(r#"{{"method":"submit","params":{{"job_id":"3"}},"id":{id}}}"#).as_bytes());
            session.take(time_s + 0.1, format!(r#"{{"id":{id},"error":null,"result":{{"status":"OK"}}}}"#).as_bytes());
        }
        session.tick(157.0);
        let summary = session.finish().unwrap();
        let rate = summary.hash_rate_hps.unwrap();
        assert_eq!((summary.shares.accepted, summary.work_s), (5, 57.0));
        assert!((rate.value - 877.2).abs() < 0.1, "{rate:?}");
        assert!((rate.low - 284.8).abs() < 0.1 && (rate.high - 2_047.1).abs() < 0.1, "{rate:?}");
    }

    /// A new difficulty holds from the next job on, and a late share of an old job counts at the old one.
    #[test]
    fn difficulties_change_with_the_next_job() {
        let summary = play(&[
            (0.0, SUBSCRIBE),
            (0.0, r#"{"method":"mining.set_difficulty","params":[8]}"#),
            (10.0, r#"{"method":"mining.notify","params":["a"]}"#),
            (20.0, r#"{"method":"mining.set_difficulty","params":[32]}"#),
            (30.0, &submit(2, "a")),
            (30.0, &accept(2)),
            (40.0, r#"{"method":"mining.notify","params":["b"]}"#),
            (50.0, &submit(3, "a")),
            (50.0, &accept(3)),
            (60.0, &submit(4, "b")),
            (60.0, &accept(4)),
            (70.0, &submit(5, "b")),
            (70.0, &refuse(5)),
            (100.0, &submit(6, "b")),
        ]);
        let listed: Vec<_> = summary.difficulties.iter().map(|at| (at.difficulty, at.duration_s, at.shares)).collect();
        assert_eq!(listed, [(8.0, 30.0, 2), (32.0, 60.0, 2)]);
        assert_eq!(summary.shares, Shares { submitted: 5, accepted: 3, refused: 1, unanswered: 1 });
        assert_eq!(summary.refusals, ["Low difficulty share"]);
        // Four shares in an exposure of 30/8 + 60/32 units of 2^32 hashes.
        let rate = summary.hash_rate_hps.unwrap();
        assert!((rate.value / (4.0 / 5.625 * 4_294_967_296.0) - 1.0).abs() < 1e-12, "{rate:?}");
        let (low, high) = crate::traffic::garwood(4, CONFIDENCE);
        assert!((rate.low / rate.value - low / 4.0).abs() < 1e-9 && (rate.high / rate.value - high / 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_pool_that_tells_no_difficulty_means_one_if_its_first_words_were_heard() {
        let job = (1.0, r#"{"method":"mining.notify","params":["a"]}"#);
        let heard = play(&[(0.0, SUBSCRIBE), job, (5.0, &submit(2, "a"))]);
        assert_eq!((heard.difficulties[0].difficulty, heard.shares.unanswered), (1.0, 1));
        let late = play(&[job, (5.0, &submit(2, "a")), (9.0, &accept(2))]);
        assert_eq!((late.hash_rate_hps, late.shares_of_unknown_difficulty), (None, 1));
        assert!(late.unbounded_because.unwrap().contains("before the records begin"));
    }

    #[test]
    fn a_clock_that_runs_backwards_stands_still_and_is_counted() {
        let job = r#"{"method":"mining.notify","params":["a"]}"#;
        let summary = play(&[(100.0, SUBSCRIBE), (100.0, job), (160.0, job), (50.0, job), (170.0, job)]);
        assert_eq!((summary.work_s, summary.clock_steps), (70.0, 1));
        assert_eq!((summary.from_s, summary.to_s), (100.0, 170.0));
    }

    #[test]
    fn getwork_tells_its_target_and_templates_tell_silence() {
        let target = "0000000000000000000000000000000000000000000000000000ffff00000000";
        let work = format!(r#"{{"id":1,"result":{{"data":"00","target":"{target}"}},"error":null}}"#);
        let summary = play(&[
            (0.0, r#"{"id":1,"method":"getwork","params":[]}"#),
            (0.0, &work),
            (30.0, r#"{"id":1,"method":"getwork","params":["00"]}"#),
            (30.0, &accept(1)),
            (60.0, r#"{"id":1,"method":"getwork","params":[]}"#),
        ]);
        assert_eq!((summary.protocol, summary.polls, summary.shares.accepted), (Protocol::Getwork, 2, 1));
        let rate = summary.hash_rate_hps.unwrap();
        assert!((rate.value / (4_295_032_833.0 / 60.0) - 1.0).abs() < 1e-9, "{rate:?}");

        let target = "00000000000000000000".to_owned() + &"f".repeat(44);
        let template = format!(r#"{{"id":1,"result":{{"previousblockhash":"00","target":"{target}"}},"error":null}}"#);
        let ask = r#"{"id":1,"method":"getblocktemplate","params":[]}"#;
        let summary = play(&[(0.0, ask), (0.0, &template), (3_600.0, ask)]);
        assert_eq!(summary.hash_rate_hps, None);
        // The rule of three: -ln 0.05 blocks of 2^80 hashes in an hour, at most.
        let below = summary.hash_rate_below_hps.unwrap();
        assert!((below / (0.05_f64.ln().abs() * 2_f64.powi(80) / 3_600.0) - 1.0).abs() < 1e-9, "{below}");
        assert!(summary.unbounded_because.is_some());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut session = Session::default();
        session.take(0.0, SUBSCRIBE.as_bytes());
        for index in 0..20_000_u32 {
            let text = format!(r#"{{"method":"mining.set_difficulty","params":[{}]}}"#, index + 1);
            session.take(f64::from(index), text.as_bytes());
            session.take(f64::from(index), format!(r#"{{"method":"mining.notify","params":["{index}"]}}"#).as_bytes());
            session.take(f64::from(index), submit(index, "x").as_bytes());
            session.take(f64::from(index), b"nonsense");
        }
        assert!(session.jobs.len() <= JOBS_MAX && session.pending.len() <= PENDING_MAX);
        let summary = session.finish().unwrap();
        assert_eq!((summary.shares.submitted, summary.shares.unanswered), (20_000, 20_000));
        assert_eq!((summary.difficulties.len(), summary.faults), (LISTED_MAX, 20_000));
        assert!(summary.hash_rate_hps.is_some());
    }
}
