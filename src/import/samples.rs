//! The sample chains, carried inside the program for the demo and the tests; never read from the disk.

use super::Source;

/// The files of the sample chains.
pub const SOURCE: Source<'static> = Source::Embedded(&[
    ("cinemas.json", include_str!("../demo/data/cinemas.json")),
    (
        "escape-rooms.json",
        include_str!("../demo/data/escape-rooms.json"),
    ),
    (
        "halls/arena-5000.json",
        include_str!("../demo/data/halls/arena-5000.json"),
    ),
    (
        "halls/galleria-40.json",
        include_str!("../demo/data/halls/galleria-40.json"),
    ),
    (
        "halls/large-624.json",
        include_str!("../demo/data/halls/large-624.json"),
    ),
    (
        "halls/standard-105.json",
        include_str!("../demo/data/halls/standard-105.json"),
    ),
    (
        "halls/standard-230.json",
        include_str!("../demo/data/halls/standard-230.json"),
    ),
]);

/// The two catalogues among them; they name the halls.
pub const CATALOGUES: [&str; 2] = ["cinemas.json", "escape-rooms.json"];
