//! Places of which there are only so many, in all and for one network: so one caller never keeps everybody else out. Nobody
//! waits for one here.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::limits::network;

/// The places there are. Cheap to clone.
#[derive(Clone)]
pub(super) struct Places(Arc<Inner>);

struct Inner {
    taken: Mutex<Taken>,
    max: usize,
    per_network_max: usize,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// All are taken.
    Altogether,
    /// The network that asks has its share.
    Here,
}

impl Places {
    /// So many, and so many of them for one network.
    pub fn new(max: usize, per_network_max: usize) -> Self {
        Self(Arc::new(Inner {
            taken: Mutex::default(),
            max,
            per_network_max,
        }))
    }

    /// A place for who asks from here, until it is dropped.
    pub fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let network = network(address);
        let mut taken = self.0.taken();
        if taken.all >= self.0.max {
            return Err(Full::Altogether);
        }
        let here = taken.by_network.entry(network).or_default();
        if *here >= self.0.per_network_max {
            return Err(Full::Here);
        }
        *here += 1;
        taken.all += 1;
        Ok(Place {
            places: self.clone(),
            network,
        })
    }
}

impl Inner {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them.
pub(super) struct Place {
    places: Places,
    network: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken();
        taken.all = taken.all.saturating_sub(1);
        if let Some(here) = taken.by_network.get_mut(&self.network) {
            *here -= 1;
            if *here == 0 {
                taken.by_network.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    #[test]
    fn one_network_has_its_share_and_no_more() {
        let places = Places::new(3, 2);
        let held = [places.take(from(1)), places.take(from(1))];
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(places.take(from(1)).err(), Some(Full::Here));
        let other = places.take(from(2));
        assert!(other.is_ok());
        assert_eq!(places.take(from(3)).err(), Some(Full::Altogether));
        drop(other);
        assert!(places.take(from(3)).is_ok());
        drop(held);
        assert!(
            places.0.taken().by_network.is_empty(),
            "nothing is kept of who left"
        );
        assert!(places.take(from(1)).is_ok());
    }
}
