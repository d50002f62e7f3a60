//! Rows in PostgreSQL's binary COPY format, to write many at once and to compare bit for bit; never text.

use aggregates::values::SeatLabel;
use jiff::Timestamp;
use uuid::Uuid;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = &[0xff, 0xff];
/// Microseconds from 1970 to 2000, where PostgreSQL's moments begin.
const EPOCH_2000: i64 = 946_684_800_000_000;
/// The type `text` in PostgreSQL's catalogue.
const TEXT_OID: i32 = 25;
/// The type `smallint`.
const SMALLINT_OID: i32 = 21;

/// Rows, one after the other.
#[derive(Debug, Default)]
pub struct Tuples {
    bytes: Vec<u8>,
    rows: usize,
}

impl Tuples {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            rows: 0,
        }
    }

    /// Adds a row.
    pub fn row(&mut self, fields: &[&dyn Field]) {
        let count = i16::try_from(fields.len()).unwrap_or(i16::MAX);
        self.bytes.extend_from_slice(&count.to_be_bytes());
        for field in fields {
            field.put(&mut self.bytes);
        }
        self.rows += 1;
    }

    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The rows' bytes, without header and trailer.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.rows = 0;
    }

    /// The whole as `copy … from stdin with (format binary)` wants it; none are left.
    pub fn take_file(&mut self) -> Vec<u8> {
        let mut file = Vec::with_capacity(SIGNATURE.len() + self.bytes.len() + TRAILER.len());
        file.extend_from_slice(SIGNATURE);
        file.extend_from_slice(&self.bytes);
        file.extend_from_slice(TRAILER);
        self.clear();
        file
    }
}

/// The bytes that come before the first row of a binary copy.
pub const HEADER_LENGTH: usize = SIGNATURE.len();

/// A value as one field of a row.
pub trait Field {
    /// Adds its length and bytes.
    fn put(&self, out: &mut Vec<u8>);
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    // No value comes near PostgreSQL's own limit of 1 GiB.
    let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl Field for $number {
            fn put(&self, out: &mut Vec<u8>) {
                sized(out, &self.to_be_bytes());
            }
        })+
    };
}
numbers!(i16, i32, i64);

impl Field for bool {
    fn put(&self, out: &mut Vec<u8>) {
        sized(out, &[u8::from(*self)]);
    }
}

impl Field for &str {
    fn put(&self, out: &mut Vec<u8>) {
        sized(out, self.as_bytes());
    }
}

impl Field for Uuid {
    fn put(&self, out: &mut Vec<u8>) {
        sized(out, self.as_bytes());
    }
}

impl Field for Timestamp {
    fn put(&self, out: &mut Vec<u8>) {
        (self.as_microsecond() - EPOCH_2000).put(out);
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.put(out),
            None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
    }
}

impl Field for &[SeatLabel] {
    fn put(&self, out: &mut Vec<u8>) {
        array(out, TEXT_OID, self.iter().map(SeatLabel::as_str));
    }
}

impl Field for &[i16] {
    fn put(&self, out: &mut Vec<u8>) {
        array(out, SMALLINT_OID, self.iter().copied());
    }
}

/// A one-dimensional array without nulls; an empty one has no dimension.
fn array<T: Field>(out: &mut Vec<u8>, oid: i32, items: impl ExactSizeIterator<Item = T>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let count = i32::try_from(items.len()).unwrap_or(i32::MAX);
    let dimensions = i32::from(count > 0);
    for number in [dimensions, 0, oid] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    if count > 0 {
        for number in [count, 1] {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
    for item in items {
        item.put(out);
    }
    let length = i32::try_from(out.len() - start - 4).unwrap_or(i32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_fields_with_their_lengths() {
        let mut tuples = Tuples::new();
        tuples.row(&[&7_i16, &"ab", &None::<i64>, &true]);
        let expected = [
            0, 4, 0, 0, 0, 2, 0, 7, 0, 0, 0, 2, b'a', b'b', 255, 255, 255, 255, 0, 0, 0, 1, 1,
        ];
        assert_eq!(tuples.bytes(), expected);
        assert_eq!(tuples.rows(), 1);
    }

    #[test]
    fn the_moment_postgresql_begins_with_is_zero() {
        let mut out = Vec::new();
        "2000-01-01T00:00:00Z".parse::<Timestamp>().unwrap().put(&mut out);
        assert_eq!(out, [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
