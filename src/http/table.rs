//! Tables as CSV (RFC 4180), to be opened by spreadsheets; no cell of ours is ever taken for a formula; never decides
//! what stands in one.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{problem::Problem, problems};

/// A table that is being written.
pub(super) struct Table(csv::Writer<Vec<u8>>);

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[&str]) -> Result<Self, Problem> {
        let mut table = Self(csv::Writer::from_writer(Vec::new()));
        table.0.write_record(columns).map_err(|error| unwritten(&error))?;
        Ok(table)
    }

    /// One row more.
    pub fn row(&mut self, cells: &[String]) -> Result<(), Problem> {
        let cells = cells.iter().map(|cell| harmless(cell));
        self.0.write_record(cells).map_err(|error| unwritten(&error))
    }
}

impl IntoResponse for Table {
    fn into_response(self) -> Response {
        match self.0.into_inner() {
            Ok(bytes) => {
                let mut response = Response::new(Body::from(bytes));
                let media = HeaderValue::from_static("text/csv; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, media);
                response
            }
            Err(error) => unwritten(&error).into_response(),
        }
    }
}

fn unwritten(error: &impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a table could not be written");
    Problem::new(&problems::FAULT, "the table could not be written")
}

/// A cell that no spreadsheet takes for a formula (OWASP: CSV injection): one that begins like a formula is made a text.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for fine in ["7KQ4MZ2H", "겨울 행사", "20%", "", "a=b"] {
            assert_eq!(harmless(fine), fine);
        }
    }

    #[test]
    fn commas_quotes_and_lines_stay_within_their_cell() {
        let mut table = Table::new(&["a", "b"]).expect("written");
        let cells = ["1,2".to_owned(), "he said \"no\"\nand left".to_owned()];
        table.row(&cells).expect("written");
        let text = String::from_utf8(table.0.into_inner().expect("written")).expect("UTF-8");
        assert_eq!(text, "a,b\n\"1,2\",\"he said \"\"no\"\"\nand left\"\n");
    }
}
