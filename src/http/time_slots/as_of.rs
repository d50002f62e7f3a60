//! The past as a question: `position=` or `at=`; resolved to one position of the log (DOMAIN A3); never to one that is
//! still to come.

use jiff::Timestamp;
use serde::Deserialize;

use super::super::{App, fresh, params::Moment, problem::Problem, problems};

/// Now, or as it was.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// As it was right after this log position.
    #[serde(default)]
    pub(in super::super) position: Option<i64>,
    /// As it was at this moment.
    #[serde(default)]
    #[param(value_type = Option<String>, format = DateTime)]
    pub(in super::super) at: Option<Moment>,
    /// Wait until the answer is as new as this log position.
    #[serde(default)]
    pub(in super::super) min_position: Option<i64>,
}

impl AsOf {
    /// Whether the present is meant.
    pub(in super::super) const fn is_now(&self) -> bool {
        self.position.is_none() && self.at.is_none()
    }

    /// The position meant, which `model` shows by now; none for the present.
    pub(in super::super) async fn position(
        &self,
        app: &App,
        model: &'static str,
    ) -> Result<Option<i64>, Problem> {
        let refused = |why| Err(Problem::new(&problems::MALFORMED_QUERY, why));
        let position = match (self.position, self.at) {
            (Some(_), Some(_)) => return refused("position and at cannot be combined"),
            (Some(..0), None) => return refused("position must not be negative"),
            (Some(position), None) if !fresh::exists(app, position).await? => {
                return refused("position lies after the end of the log");
            }
            (None, Some(Moment(at))) if at > app.store.now() => return refused("at lies in the future"),
            (Some(position), None) => Some(position),
            (None, Some(Moment(at))) => Some(projections::moments::position_at(&app.reads, at).await?),
            (None, None) => None,
        };
        fresh::reached(app, model, position.max(self.min_position)).await?;
        Ok(position)
    }

    /// The moment meant, by which what was is judged.
    pub(super) async fn moment(&self, app: &App) -> Result<Timestamp, Problem> {
        match (self.position, self.at) {
            (_, Some(Moment(at))) => Ok(at),
            (Some(position), None) => {
                let recorded = projections::moments::recorded_at(&app.reads, position).await?;
                Ok(recorded.unwrap_or_else(|| app.store.now()))
            }
            (None, None) => Ok(app.store.now()),
        }
    }
}
