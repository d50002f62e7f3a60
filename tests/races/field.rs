//! What every race needs: a fresh house, one or two servers on it, and a common start; never a rule.

use std::sync::Arc;

use tokio::{sync::Barrier, task::JoinSet};

use crate::support::{
    api::{Answer, Api, Call},
    database::{self, TestDatabase},
    house::House,
    journal::Journal,
    log::Log,
    process::{Server, verifies},
};

/// A house open for business.
pub struct Field {
    pub house: House,
    /// They run as long as this lives.
    _servers: Vec<Server>,
    pub apis: Vec<Api>,
    pub journal: Arc<Journal>,
    pub database: TestDatabase,
}

impl Field {
    /// With so many servers on one database.
    pub async fn open(servers: usize) -> Self {
        let (database, journal) = (database::fresh().await, Arc::new(Journal::default()));
        let mut running = Vec::new();
        for _ in 0..servers {
            running.push(Server::start(&database.url()).await);
        }
        let apis: Vec<Api> = running.iter().map(|server| server.api(&journal)).collect();
        let house = House::open(&apis[0]).await;
        Self {
            house,
            _servers: running,
            apis,
            journal,
            database,
        }
    }

    pub fn api(&self) -> &Api {
        &self.apis[0]
    }

    /// Sends all these at once, in turn to each server; the answers in the same order.
    pub async fn race(&self, calls: Vec<Call>) -> Vec<Answer> {
        let (start, count) = (Arc::new(Barrier::new(calls.len())), calls.len());
        let mut tasks = JoinSet::new();
        for (index, call) in calls.into_iter().enumerate() {
            let (api, start) = (self.apis[index % self.apis.len()].clone(), Arc::clone(&start));
            tasks.spawn(async move {
                api.connect().await;
                start.wait().await;
                (index, api.ask(&call).await)
            });
        }
        let mut answers = tasks.join_all().await;
        assert_eq!(answers.len(), count);
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// The log, checked against every rule and everything the clients know.
    pub async fn log(&self) -> Log {
        let log = Log::check(&self.database.client().await).await;
        self.journal.agrees_with(&log);
        log
    }

    /// Everything is as it must be, also by the program's own proof.
    pub async fn close(self) -> Log {
        let log = self.log().await;
        verifies(&self.database.url()).await;
        log
    }
}

/// Those that were granted and those that were refused.
pub fn parted(answers: Vec<Answer>) -> (Vec<Answer>, Vec<Answer>) {
    answers.into_iter().partition(Answer::is_done)
}
