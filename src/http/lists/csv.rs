//! A list as a file of comma-separated values (RFC 4180), sent while it is read; never a whole list in memory.
//!
//! The first line has the names of the fields as JSON has them. A moment takes two: on the wall of its branch with the
//! offset, and in UTC. A text that a spreadsheet would take for a formula begins with an apostrophe.

use std::future::Future;

use ::csv::{Terminator, WriterBuilder};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use jiff::{Timestamp, tz::TimeZone};

use super::super::{access::Admin, problem::Problem, problems};

/// Lines that are read and sent at once.
pub const LINES_AT_ONCE: i64 = 1_000;
/// By what Excel knows UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell(String);

/// What a formula begins with (OWASP: CSV injection), in both widths; spreadsheets skip the breaks and tabs before it.
const FORMULAS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text, whoever wrote it: one that begins like a formula gets an apostrophe before it.
pub fn text(text: impl Into<String>) -> Cell {
    let text = text.into();
    Cell(if text.starts_with(FORMULAS) {
        format!("'{text}")
    } else {
        text
    })
}

/// A number, a yes or no, an id: what no person has typed.
pub fn plain(value: impl ToString) -> Cell {
    Cell(value.to_string())
}

/// The same, or nothing.
pub fn maybe(value: Option<impl ToString>) -> Cell {
    Cell(value.map_or_else(String::new, |value| value.to_string()))
}

/// A text, or nothing.
pub fn maybe_text(value: Option<impl Into<String>>) -> Cell {
    value.map_or_else(|| Cell(String::new()), text)
}

/// A moment in the zone of its branch and in UTC: two cells.
pub fn moment(at: Option<Timestamp>, zone: &TimeZone) -> [Cell; 2] {
    let local = at.map(|at| at.display_with_offset(zone.to_offset(at)));
    [maybe(local), maybe(at)]
}

/// A part of a list: lines, and where to go on; none: that was all.
pub type Part<P> = (Vec<Vec<Cell>>, Option<P>);

/// The answer with a whole list, taken away by an admin. `next` reads the part behind a place, the first one behind none; while nobody takes what
/// was sent, nothing more is read. A list that cannot be read to its end is cut off, and the connection with it.
pub async fn file<P, F, R>(
    name: &'static str,
    by: &Admin,
    fields: &[&str],
    with_mark: bool,
    next: F,
) -> Result<Response, Problem>
where
    P: Send + 'static,
    F: Fn(Option<P>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Part<P>, Problem>> + Send + 'static,
{
    // Whoever takes names and numbers away is named themselves, in the server's own log.
    tracing::info!(list = name, by = by.scope(), "a list is taken away as a file");
    // Whatever is wrong with the question shows before anything is sent.
    let (lines, place) = next(None).await?;
    let mut begin = if with_mark {
        BYTE_ORDER_MARK.to_vec()
    } else {
        Vec::new()
    };
    begin.extend(written([fields.iter().map(|field| (*field).to_owned())])?);
    begin.extend(written(texts(lines))?);
    let rest = stream::try_unfold((next, place), async |(next, place)| {
        let Some(place) = place else { return Ok(None) };
        let (lines, place) = next(Some(place)).await.map_err(cut_off)?;
        let bytes = Bytes::from(written(texts(lines)).map_err(cut_off)?);
        Ok::<_, std::io::Error>(Some((bytes, (next, place))))
    });
    let body = stream::iter([Ok(Bytes::from(begin))]).chain(rest);
    Ok(attached(name, Body::from_stream(body)))
}

/// The answer with a table that is whole already.
pub fn table(name: &str, fields: &[&str], lines: Vec<Vec<Cell>>) -> Result<Response, Problem> {
    let mut bytes = written([fields.iter().map(|field| (*field).to_owned())])?;
    bytes.extend(written(texts(lines))?);
    Ok(attached(name, Body::from(bytes)))
}

fn attached(name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let media = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, media);
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

fn texts(lines: Vec<Vec<Cell>>) -> impl Iterator<Item = impl Iterator<Item = String>> {
    lines
        .into_iter()
        .map(|line| line.into_iter().map(|Cell(text)| text))
}

fn cut_off(problem: Problem) -> std::io::Error {
    tracing::warn!(problem = problem.slug(), "a list could not be sent to its end");
    std::io::Error::other("the list could not be read to its end")
}

fn written<L: Iterator<Item = String>>(lines: impl IntoIterator<Item = L>) -> Result<Vec<u8>, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a line could not be written");
        Problem::new(&problems::FAULT, "the list could not be written")
    };
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    for line in lines {
        writer.write_record(line).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("=1+1", "'=1+1")]
    #[case("+82 10", "'+82 10")]
    #[case("-", "'-")]
    #[case("@sum", "'@sum")]
    #[case("\tx", "'\tx")]
    #[case("\rx", "'\rx")]
    #[case("\nx", "'\nx")]
    #[case("＝1", "'＝1")]
    #[case("＋1", "'＋1")]
    #[case("－1", "'－1")]
    #[case("＠sum", "'＠sum")]
    #[case("김하늘", "김하늘")]
    #[case("a=1", "a=1")]
    #[case("", "")]
    fn what_looks_like_a_formula_is_a_text(#[case] typed: &str, #[case] cell: &str) {
        assert_eq!(text(typed), Cell(cell.to_owned()));
    }

    #[test]
    fn commas_quotes_and_breaks_stay_within_their_field() {
        let line = ["a,b", "say \"hi\"", "two\nlines", "plain"].map(str::to_owned);
        let written = written([line.into_iter()]).expect("a line");
        let written = String::from_utf8(written).expect("a text");
        assert_eq!(written, "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",plain\r\n");
    }

    #[test]
    fn a_moment_is_told_on_the_wall_and_in_utc() {
        let seoul = TimeZone::get("Asia/Seoul").expect("a bundled zone");
        let at: Timestamp = "2026-12-24T16:10:00Z".parse().expect("a moment");
        let cells = moment(Some(at), &seoul);
        assert_eq!(
            cells,
            [plain("2026-12-25T01:10:00+09:00"), plain("2026-12-24T16:10:00Z")]
        );
        assert_eq!(moment(None, &seoul), [plain(""), plain("")]);
    }
}
