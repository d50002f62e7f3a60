//! What every aggregate has in common with the log; never knows a particular rule.

use std::{fmt::Display, hash::Hash, str::FromStr};

use cqrs_es::{Aggregate, DomainEvent};
use jiff::Timestamp;

use crate::{event::Event, personal::Sealable, recorded::StreamId};

/// The one moment of a unit of work: the database's clock in microseconds, handed to every rule as its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now(pub Timestamp);

/// An event as it is stored: a name that is never renamed, and the personal values the store must seal.
pub trait StoredEvent: DomainEvent {
    /// The stored names of all variants.
    const NAMES: &'static [&'static str];

    /// The stored name: the aggregate's noun and the variant, for example `SeatHeld`.
    fn name(&self) -> &'static str;

    /// The personal values inside, for the store to seal before it writes and to open after it reads.
    fn personal(&mut self) -> Vec<&mut dyn Sealable> {
        Vec::new()
    }

    /// Whose key seals them, if it is not that of the event's own stream: a stream may tell of several persons.
    fn person(&self) -> Option<StreamId> {
        None
    }
}

/// An aggregate whose rule is one pure function.
pub trait Decider:
    Aggregate<Event: StoredEvent, Error: Clone + Send + Sync + 'static, Command: Send, Services = Now>
    + Clone
    + 'static
{
    /// What names one stream of this aggregate.
    type Id: Clone + Display + FromStr + Eq + Hash + Send + Sync + 'static;

    /// The rule: state, command and moment in; events, nothing (a repeat), or the refusal out.
    fn decide(&self, command: Self::Command, now: Timestamp) -> Result<Vec<Self::Event>, Self::Error>;

    /// This aggregate's event among all events.
    fn wrap(event: Self::Event) -> Event;

    /// This aggregate's event, if `event` is one.
    fn unwrap(event: &Event) -> Option<&Self::Event>;
}

/// Implements `cqrs_es::Aggregate` and [`Decider`] for a state with the methods `rule` and `evolve`, and the stored
/// names of its events; so that no aggregate repeats the wiring.
macro_rules! aggregate {
    (
        $state:ident = $type:literal, id: $id:ty, command: $command:ty, event: $event:ident, error: $error:ty,
        stored: $noun:literal [$($variant:ident),+ $(,)?]
        $(, personal: $personal:expr)?
        $(, person: $person:expr)?
    ) => {
        impl cqrs_es::Aggregate for $state {
            const TYPE: &'static str = $type;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = $crate::Now;

            async fn handle(
                &mut self,
                command: Self::Command,
                now: &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in self.rule(command, now.0)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                self.evolve(event);
            }
        }

        impl $crate::Decider for $state {
            type Id = $id;

            fn decide(
                &self,
                command: Self::Command,
                now: jiff::Timestamp,
            ) -> Result<Vec<Self::Event>, Self::Error> {
                self.rule(command, now)
            }

            fn wrap(event: $event) -> $crate::Event {
                $crate::Event::$state(event)
            }

            fn unwrap(event: &$crate::Event) -> Option<&$event> {
                if let $crate::Event::$state(event) = event { Some(event) } else { None }
            }
        }

        impl $crate::StoredEvent for $event {
            const NAMES: &'static [&'static str] = &[$(concat!($noun, stringify!($variant))),+];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => concat!($noun, stringify!($variant)),)+
                }
            }
            $(
                fn personal(&mut self) -> Vec<&mut dyn $crate::personal::Sealable> {
                    let fields: fn(&mut Self) -> Vec<&mut dyn $crate::personal::Sealable> = $personal;
                    fields(self)
                }
            )?
            $(
                fn person(&self) -> Option<$crate::StreamId> {
                    let whose: fn(&Self) -> Option<$crate::StreamId> = $person;
                    whose(self)
                }
            )?
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                $crate::StoredEvent::name(self).to_owned()
            }

            fn event_version(&self) -> String {
                $crate::event::VERSION.to_owned()
            }
        }
    };
}
pub(crate) use aggregate;

#[cfg(test)]
pub(crate) mod testing {
    //! Given events, when a command, then events or a refusal: the one form of all rule tests.

    use std::fmt::Debug;

    use jiff::Timestamp;

    use super::Decider;

    /// Noon on a working day, UTC.
    pub(crate) const NOON: Timestamp = Timestamp::constant(1_800_014_400, 0);

    pub(crate) struct Given<A>(A, Timestamp);

    pub(crate) struct When<A: Decider>(Result<Vec<A::Event>, A::Error>);

    /// An aggregate with this history, at noon.
    pub(crate) fn given<A: Decider>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let mut state = A::default();
        for event in events {
            state.apply(event);
        }
        Given(state, NOON)
    }

    impl<A: Decider> Given<A> {
        pub(crate) fn at(self, now: Timestamp) -> Self {
            Self(self.0, now)
        }

        pub(crate) fn when(self, command: A::Command) -> When<A> {
            When(self.0.decide(command, self.1))
        }
    }

    impl<A: Decider<Error: PartialEq + Debug>> When<A> {
        #[track_caller]
        pub(crate) fn then(self, events: impl IntoIterator<Item = A::Event>) {
            let events: Vec<_> = events.into_iter().collect();
            assert_eq!(self.0, Ok(events));
        }

        #[track_caller]
        pub(crate) fn refused(self, error: &A::Error) {
            assert_eq!(self.0.as_ref().err(), Some(error));
        }
    }
}
