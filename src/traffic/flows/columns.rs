//! Tables with a heading line: Zeek's `conn.log`, CSV of nfdump (of both kinds), and a plain CSV.

use memchr::memchr_iter;

use super::record::{Address, FlowRecord, Service, Volume, is_from_client, parse_count, parse_moment, parse_seconds};

/// What a column of any of these tables can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Start,
    End,
    Duration,
    Source,
    SourcePort,
    Destination,
    DestinationPort,
    Protocol,
    Service,
    /// Zeek's history, in which `S` is the SYN of the client.
    History,
    /// TCP flags as nfdump prints them, such as `...AP.SF`.
    Flags,
    UpPackets,
    UpIpBytes,
    UpPayload,
    DownPackets,
    DownIpBytes,
    DownPayload,
}

/// How many there are.
const FIELDS: usize = Field::DownPayload as usize + 1;
/// The most columns of which any may be meant.
const COLUMNS_MAX: usize = 256;

/// Names of columns of one program.
type Names = &'static [(&'static str, Field)];

const ZEEK: Names = &[
    ("ts", Field::Start),
    ("duration", Field::Duration),
    ("id.orig_h", Field::Source),
    ("id.orig_p", Field::SourcePort),
    ("id.resp_h", Field::Destination),
    ("id.resp_p", Field::DestinationPort),
    ("proto", Field::Protocol),
    ("service", Field::Service),
    ("history", Field::History),
    ("orig_pkts", Field::UpPackets),
    ("orig_ip_bytes", Field::UpIpBytes),
    ("orig_bytes", Field::UpPayload),
    ("resp_pkts", Field::DownPackets),
    ("resp_ip_bytes", Field::DownIpBytes),
    ("resp_bytes", Field::DownPayload),
];

/// `nfdump -o csv` of version 1.6.
const NFDUMP: Names = &[
    ("ts", Field::Start),
    ("te", Field::End),
    ("td", Field::Duration),
    ("sa", Field::Source),
    ("da", Field::Destination),
    ("sp", Field::SourcePort),
    ("dp", Field::DestinationPort),
    ("pr", Field::Protocol),
    ("flg", Field::Flags),
    ("ipkt", Field::UpPackets),
    ("ibyt", Field::UpIpBytes),
    ("opkt", Field::DownPackets),
    ("obyt", Field::DownIpBytes),
];

/// `nfdump -o csv` of version 1.7.
const NFDUMP_NEW: Names = &[
    ("firstseen", Field::Start),
    ("lastseen", Field::End),
    ("duration", Field::Duration),
    ("proto", Field::Protocol),
    ("srcaddr", Field::Source),
    ("srcport", Field::SourcePort),
    ("dstaddr", Field::Destination),
    ("dstport", Field::DestinationPort),
    ("flags", Field::Flags),
    ("packets", Field::UpPackets),
    ("bytes", Field::UpIpBytes),
    ("inpackets", Field::UpPackets),
    ("inbytes", Field::UpIpBytes),
    ("outpackets", Field::DownPackets),
    ("outbytes", Field::DownIpBytes),
];

const PLAIN: Names = &[
    ("start", Field::Start),
    ("end", Field::End),
    ("duration_s", Field::Duration),
    ("client", Field::Source),
    ("client_port", Field::SourcePort),
    ("server", Field::Destination),
    ("server_port", Field::DestinationPort),
    ("protocol", Field::Protocol),
    ("up_packets", Field::UpPackets),
    ("up_bytes", Field::UpIpBytes),
    ("up_payload_bytes", Field::UpPayload),
    ("down_packets", Field::DownPackets),
    ("down_bytes", Field::DownIpBytes),
    ("down_payload_bytes", Field::DownPayload),
];

/// The program that wrote a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Zeek's `conn.log`.
    Zeek,
    /// `nfdump -o csv`.
    Nfdump,
    /// The CSV that FORMAT.md describes.
    Plain,
}

impl Kind {
    /// Returns its name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zeek => "Zeek conn.log",
            Self::Nfdump => "nfdump CSV",
            Self::Plain => "CSV",
        }
    }
}

/// What a line comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed {
    /// A record of TCP.
    Flow(FlowRecord),
    /// A record of another protocol.
    NotTcp,
}

/// Where the columns of a table are.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    kind: Kind,
    delimiter: u8,
    /// The field of each column, up to the last that is needed.
    fields: Vec<Option<Field>>,
    has: [bool; FIELDS],
}

impl Columns {
    /// Reads the names behind Zeek's `#fields`.
    ///
    /// # Errors
    ///
    /// A column that is needed is missing.
    pub(super) fn of_zeek(names: &[u8]) -> Result<Self, String> {
        Self::new(Kind::Zeek, b'\t', names, ZEEK)
    }

    /// Reads the heading line of a CSV.
    ///
    /// # Errors
    ///
    /// It is none of those that are known.
    pub(super) fn of_csv(heading: &[u8]) -> Result<Self, String> {
        let heading = heading.strip_prefix(b"\xef\xbb\xbf").unwrap_or(heading);
        let lower = heading.to_ascii_lowercase();
        let has = |name: &[u8]| lower.split(|&byte| byte == b',').any(|column| trim(column) == name);
        if has(b"ts") && has(b"sa") {
            Self::new(Kind::Nfdump, b',', heading, NFDUMP)
        } else if has(b"firstseen") {
            Self::new(Kind::Nfdump, b',', heading, NFDUMP_NEW)
        } else if has(b"client") && has(b"server") {
            Self::new(Kind::Plain, b',', heading, PLAIN)
        } else {
            Err("it is no heading of nfdump (ts,te,td,sa,...; firstSeen,...) and none of the plain CSV \
                 (start,duration_s,client,server,server_port,up_packets,up_bytes,down_packets,down_bytes)"
                .to_owned())
        }
    }

    fn new(kind: Kind, delimiter: u8, heading: &[u8], names: Names) -> Result<Self, String> {
        let mut fields = Vec::new();
        let mut has = [false; FIELDS];
        for column in heading.split(|&byte| byte == delimiter).take(COLUMNS_MAX) {
            let column = trim(column).to_ascii_lowercase();
            let known = names.iter().find(|(name, _)| name.as_bytes() == column);
            // A name that comes twice counts the first time.
            let field = known.map(|(_, field)| *field).filter(|field| !has[*field as usize]);
            if let Some(field) = field {
                has[field as usize] = true;
            }
            fields.push(field);
        }
        let used = fields.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        fields.truncate(used);
        let name_of = |wanted: Field| names.iter().find(|(_, field)| *field == wanted).map_or("", |(name, _)| name);
        let mut needed =
            vec![Field::Start, Field::Source, Field::Destination, Field::DestinationPort, Field::UpPackets];
        needed.push(Field::UpIpBytes);
        if kind != Kind::Plain {
            needed.extend([Field::SourcePort, Field::Protocol]);
        }
        if kind != Kind::Nfdump {
            needed.extend([Field::DownPackets, Field::DownIpBytes]);
        }
        if let Some(missing) = needed.into_iter().find(|field| !has[*field as usize]) {
            return Err(format!("the column {} is missing", name_of(missing)));
        }
        if !has[Field::Duration as usize] && !has[Field::End as usize] {
            return Err(format!("the column {} is missing", name_of(Field::Duration)));
        }
        Ok(Self { kind, delimiter, fields, has })
    }

    /// Returns who wrote the table.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(&self, line: &[u8]) -> Result<Parsed, &'static str> {
        let mut values: [&[u8]; FIELDS] = [b""; FIELDS];
        let mut start = 0;
        let mut ends = memchr_iter(self.delimiter, line);
        for field in &self.fields {
            let end = match ends.next() {
                Some(end) => end,
                None if start <= line.len() => line.len(),
                None => return Err("it has fewer columns than the heading"),
            };
            if let Some(field) = field {
                values[*field as usize] = &line[start..end];
            }
            start = end + 1;
        }
        if self.delimiter == b',' {
            values.iter_mut().for_each(|value| *value = trim(value));
        }
        self.record(&values)
    }

    #[inline]
    fn record(&self, values: &[&[u8]; FIELDS]) -> Result<Parsed, &'static str> {
        let of = |field: Field| values[field as usize];
        if self.has[Field::Protocol as usize] && !is_tcp(of(Field::Protocol)) {
            return Ok(Parsed::NotTcp);
        }
        let address = |field| Address::parse(of(field)).ok_or("an address can't be read");
        let port = |field| {
            let port = parse_count(of(field)).and_then(|port| u16::try_from(port).ok());
            port.ok_or("a port can't be read")
        };
        let (source, destination) = (address(Field::Source)?, address(Field::Destination)?);
        let destination_port = port(Field::DestinationPort)?;
        let start_s = parse_moment(of(Field::Start)).ok_or("its time can't be read")?;
        let duration_s = self.duration_s(values, start_s)?;
        let forth = self.volume(values, [Field::UpPackets, Field::UpIpBytes, Field::UpPayload])?;
        let back = self.volume(values, [Field::DownPackets, Field::DownIpBytes, Field::DownPayload])?;
        let mut record = FlowRecord {
            start_s,
            duration_s,
            client: source,
            server: destination,
            server_port: destination_port,
            up: forth,
            down: back,
            is_opening: None,
            service: Service::of_zeek(of(Field::Service)),
        };
        record.is_opening = match self.kind {
            Kind::Zeek if self.has[Field::History as usize] => Some(of(Field::History).contains(&b'S')),
            Kind::Nfdump if self.has[Field::Flags as usize] => Some(of(Field::Flags).contains(&b'S')),
            _ => None,
        };
        // Zeek tells who opened a connection, and so does the plain CSV. NetFlow tells of packets in one direction.
        if self.kind == Kind::Nfdump {
            let source_port = port(Field::SourcePort)?;
            if !is_from_client(source_port, destination_port) {
                record.server_port = source_port;
                (record.client, record.server) = (destination, source);
                (record.up, record.down) = (back, forth);
            }
        }
        record.check()?;
        Ok(Parsed::Flow(record))
    }

    fn duration_s(&self, values: &[&[u8]; FIELDS], start_s: f64) -> Result<f64, &'static str> {
        let text = values[Field::Duration as usize];
        match text {
            // A connection of one packet has no duration in Zeek.
            b"" | b"-" => {}
            _ => return parse_seconds(text).ok_or("its duration can't be read"),
        }
        let text = values[Field::End as usize];
        if text.is_empty() {
            return Ok(0.0);
        }
        let end_s = parse_moment(text).ok_or("its end can't be read")?;
        if end_s < start_s { Err("it ends before it begins") } else { Ok(end_s - start_s) }
    }

    #[inline]
    fn volume(&self, values: &[&[u8]; FIELDS], fields: [Field; 3]) -> Result<Volume, &'static str> {
        let count = |field: Field| match values[field as usize] {
            b"" | b"-" => Ok(None),
            text => parse_count(text).map(Some).ok_or("a count of packets or bytes can't be read"),
        };
        let [packets, ip_bytes, payload_bytes] = fields.map(count);
        Ok(Volume { packets: packets?.unwrap_or(0), ip_bytes: ip_bytes?.unwrap_or(0), payload_bytes: payload_bytes? })
    }
}

/// TCP by its name or by its number.
fn is_tcp(protocol: &[u8]) -> bool {
    protocol.eq_ignore_ascii_case(b"tcp") || protocol == b"6"
}

/// Takes blanks and quotes off a value of a CSV.
fn trim(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    unquoted.map_or(value, <[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(columns: &Columns, line: &str) -> FlowRecord {
        match columns.parse(line.as_bytes()) {
            Ok(Parsed::Flow(record)) => record,
            other => panic!("{line}: {other:?}"),
        }
    }

    /// A line as Zeek 6 writes it, of the capture that economics' fifth section works through.
    #[test]
    fn zeek_columns_are_found_in_any_order() {
        let usual = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\t\
                     orig_bytes\tresp_bytes\t\
                     conn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\t\
                     resp_ip_bytes\ttunnel_parents";
        let line = "1484652751.994417\tCabc\t147.229.13.222\t62314\t37.59.21.58\t5222\ttcp\t-\t56.511\t1078\t\
                    1742\tS1\tT\tF\t0\t\
                    ShADad\t22\t1970\t21\t2594\t-";
        let record = flow(&Columns::of_zeek(usual.as_bytes()).unwrap(), line);
        assert_eq!(
            (record.client.to_string(), record.server.to_string()),
            ("147.229.13.222".into(), "37.59.21.58".into())
        );
        assert_eq!((record.server_port, record.duration_s, record.is_opening), (5222, 56.511, Some(true)));
        assert_eq!(record.up, Volume { packets: 22, ip_bytes: 1970, payload_bytes: Some(1078) });
        assert_eq!(record.down, Volume { packets: 21, ip_bytes: 2594, payload_bytes: Some(1742) });
        // The same with the columns the other way round.
        let turn = |line: &str| line.split('\t').rev().collect::<Vec<_>>().join("\t");
        assert_eq!(flow(&Columns::of_zeek(turn(usual).as_bytes()).unwrap(), &turn(line)), record);
    }

    #[test]
    fn unset_values_are_none_and_other_protocols_are_passed_over() {
        let columns = Columns::of_zeek(
            b"ts\tproto\tduration\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\torig_pkts\torig_ip_bytes\tresp_pkts\t\
              resp_ip_bytes\torig_bytes",
        )
        .unwrap();
        let record = flow(&columns, "1.5\ttcp\t-\t::1\t9\t2001:db8::1\t3333\t1\t60\t0\t0\t-");
        assert_eq!((record.duration_s, record.up.payload_bytes, record.is_opening), (0.0, None, None));
        assert_eq!(columns.parse(b"1.5\tudp\t-\tnonsense"), Err("it has fewer columns than the heading"));
        let udp = b"1.5\tudp\t-\tnonsense\t\t\t\t\t\t\t\t";
        assert_eq!(columns.parse(udp), Ok(Parsed::NotTcp));
        for (bad, reason) in [
            ("x\ttcp\t-\t::1\t9\t::2\t3333\t1\t60\t0\t0\t-", "its time can't be read"),
            ("-1\ttcp\t-\t::1\t9\t::2\t3333\t1\t60\t0\t0\t-", "its time can't be read"),
            ("9999999999\ttcp\t-\t::1\t9\t::2\t3333\t1\t60\t0\t0\t-", "its time lies before 1970 or after 2100"),
            (
                "1\ttcp\t999999999999\t::1\t9\t::2\t3333\t1\t60\t0\t0\t-",
                "its duration is negative or longer than ten years",
            ),
            ("1\ttcp\t-5\t::1\t9\t::2\t3333\t1\t60\t0\t0\t-", "its duration can't be read"),
            ("1\ttcp\t-\tme\t9\t::2\t3333\t1\t60\t0\t0\t-", "an address can't be read"),
            ("1\ttcp\t-\t::1\t9\t::2\t65536\t1\t60\t0\t0\t-", "a port can't be read"),
            ("1\ttcp\t-\t::1\t9\t::2\t3333\t1e3\t60\t0\t0\t-", "a count of packets or bytes can't be read"),
        ] {
            assert_eq!(columns.parse(bad.as_bytes()), Err(reason), "{bad}");
        }
    }

    #[test]
    fn nfdump_of_both_kinds_is_turned_so_that_the_lower_port_is_the_servers() {
        let old = Columns::of_csv(b"ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt").unwrap();
        let up = "2017-05-17 08:30:00,2017-05-17 08:31:00,60.000,10.0.0.5,198.51.100.7,50123,3333,TCP,\
                  ...AP.SF,0,0,20,1500,0,0";
        let record = flow(&old, up);
        assert_eq!((record.start_s, record.duration_s, record.server_port), (1_495_009_800.0, 60.0, 3333));
        assert_eq!((record.up.packets, record.down.packets, record.is_opening), (20, 0, Some(true)));
        let down = "2017-05-17 08:30:00,2017-05-17 08:31:00,60.0,198.51.100.7,10.0.0.5,3333,50123,TCP,\
                    ...AP...,0,0,21,9000,0,0";
        let record = flow(&old, down);
        assert_eq!((record.client.to_string(), record.server_port), ("10.0.0.5".into(), 3333));
        assert_eq!((record.up.packets, record.down.packets, record.down.ip_bytes), (0, 21, 9000));
        let new =
            Columns::of_csv(b"firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows").unwrap();
        let record = flow(&new, "2024-05-05 12:00:00.250,3.5,6,10.0.0.5,50123,198.51.100.7,443,9,800,1");
        assert_eq!((record.up.packets, record.up.ip_bytes, record.start_s), (9, 800, 1_714_910_400.25));
    }

    #[test]
    fn the_plain_csv_may_be_quoted_and_say_end_in_place_of_duration() {
        let heading = b"\xef\xbb\xbfstart,end,Client,server,server_port,up_packets,up_bytes,down_packets,down_bytes";
        let columns = Columns::of_csv(heading).unwrap();
        assert_eq!(columns.kind(), Kind::Plain);
        let record = flow(&columns, "\"100\", 160.5 ,10.0.0.5,\"198.51.100.7\",3333,20,1500,21,9000");
        assert_eq!((record.start_s, record.duration_s, record.up.ip_bytes), (100.0, 60.5, 1500));
        let backwards = columns.parse(b"100,99,10.0.0.5,198.51.100.7,3333,20,1500,21,9000");
        assert_eq!(backwards, Err("it ends before it begins"));
    }

    #[test]
    fn headings_that_lack_a_column_say_which() {
        let heading =
            b"ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_pkts\tresp_pkts\tresp_ip_bytes";
        assert_eq!(Columns::of_zeek(heading).unwrap_err(), "the column orig_ip_bytes is missing");
        assert!(Columns::of_csv(b"a,b,c").unwrap_err().contains("up_packets"));
        let heading = b"start,client,server,server_port,up_packets,up_bytes,down_packets,down_bytes";
        assert_eq!(Columns::of_csv(heading).unwrap_err(), "the column duration_s is missing");
    }
}
