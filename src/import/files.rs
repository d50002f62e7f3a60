//! Reads catalogue files whole and reports every fault of all of them; never looks at the log.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    path::{Component, Path},
    sync::Arc,
};

use aggregates::{
    fault::{Fault, Faults, Node, Reading},
    layout::{Layout, RowsAndColumns},
    values::Name,
};
use serde_json::Value;

use super::{
    FileFault, ImportError,
    catalogue::{Catalogue, Content},
    cinemas, escape_rooms, json,
};

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: usize = 16 << 20;

/// Where files come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The file system.
    Disk,
    /// The program itself: paths and texts.
    Embedded(&'a [(&'a str, &'a str)]),
}

impl<'a> Source<'a> {
    fn text(self, path: &Path) -> io::Result<Cow<'a, str>> {
        match self {
            Self::Disk => {
                let length = std::fs::metadata(path)?.len();
                if usize::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX) {
                    std::fs::read_to_string(path).map(Cow::Owned)
                } else {
                    Err(io::Error::other(format!(
                        "it is larger than {FILE_BYTES_MAX} bytes"
                    )))
                }
            }
            Self::Embedded(files) => {
                let found = files.iter().find(|(name, _)| Path::new(name) == path);
                found
                    .map(|(_, text)| Cow::Borrowed(*text))
                    .ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        }
    }
}

/// Reads these files, or reports every fault in all of them.
pub fn read(source: Source<'_>, paths: &[&Path]) -> Result<Vec<Catalogue>, ImportError> {
    let mut files = Files {
        source,
        halls: BTreeMap::new(),
        faults: Vec::new(),
    };
    let catalogues: Vec<Option<Catalogue>> = paths.iter().map(|path| files.catalogue(path)).collect();
    if files.faults.is_empty() {
        Ok(catalogues.into_iter().flatten().collect())
    } else {
        Err(ImportError::Faults(files.faults))
    }
}

/// The files being read: each hall once, however many auditoriums share it.
struct Files<'a> {
    source: Source<'a>,
    halls: BTreeMap<String, Option<Arc<Layout>>>,
    faults: Vec<FileFault>,
}

impl Files<'_> {
    fn fault(&mut self, file: &Path, fault: Fault) {
        self.faults.push(FileFault {
            file: file.display().to_string(),
            fault,
        });
    }

    fn json(&mut self, path: &Path) -> Option<Value> {
        let parsed = match self.source.text(path) {
            Ok(text) if text.trim().is_empty() => Err("is empty".to_owned()),
            Ok(text) => json::read(&text).map_err(|error| format!("is not JSON: {error}")),
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        match parsed {
            Ok((document, repeated)) => {
                for fault in repeated {
                    self.fault(path, fault);
                }
                Some(document)
            }
            Err(problem) => {
                self.fault(path, Fault::at("", problem));
                None
            }
        }
    }

    fn catalogue(&mut self, path: &Path) -> Option<Catalogue> {
        let document = self.json(path)?;
        let reading = Reading::default();
        let root = reading.of(&document);
        let has = |key: &str| document.get(key).is_some();
        let content = if has("cinemas") {
            let mut layout_of = |node: &Node<'_>| self.named_layout(path, node);
            cinemas::read(&root, &mut layout_of).map(Content::Cinemas)
        } else if has("branches") {
            escape_rooms::read(&root).map(Content::EscapeRooms)
        } else if has("zones") || has("rows") {
            let hall = stem(path).map_err(|problem| root.fault(problem)).ok();
            let layout = self.layout(path);
            layout
                .clone()
                .zip(hall)
                .map(|(layout, hall)| Content::Hall(hall, layout))
        } else {
            root.fault("must have `cinemas`, `branches`, or the `zones` or `rows` of a hall");
            None
        };
        match reading.finish(content) {
            Ok(content) => Some(Catalogue {
                file: path.display().to_string(),
                content,
            }),
            Err(Faults(faults)) => {
                for fault in faults {
                    self.fault(path, fault);
                }
                None
            }
        }
    }

    /// The hall a catalogue names by a path relative to itself: its kind and its layout.
    fn named_layout(&mut self, catalogue: &Path, node: &Node<'_>) -> Option<(Name, Arc<Layout>)> {
        let name: String = node.text()?;
        let relative = Path::new(&name);
        if !relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            node.fault("must be a path below the folder of this file");
            return None;
        }
        let path = catalogue.parent().unwrap_or(Path::new("")).join(relative);
        let hall = stem(&path).map_err(|problem| node.fault(problem)).ok();
        if self.source.text(&path).is_err() {
            node.fault(format!("there is no readable file {}", path.display()));
            return None;
        }
        // The faults of the hall are reported under its own name.
        Some((hall?, self.layout(&path)?))
    }

    fn layout(&mut self, path: &Path) -> Option<Arc<Layout>> {
        let key = path.display().to_string();
        if let Some(known) = self.halls.get(&key) {
            return known.clone();
        }
        let layout = self.json(path).and_then(|document| {
            let layout = if document.get("rows").is_some() {
                plain(&document)
            } else {
                Layout::from_pretix(&document)
            };
            match layout {
                Ok(layout) => Some(Arc::new(layout)),
                Err(Faults(faults)) => {
                    for fault in faults {
                        self.fault(path, fault);
                    }
                    None
                }
            }
        });
        self.halls.insert(key, layout.clone());
        layout
    }
}

/// The plain description: rows × columns.
fn plain(document: &Value) -> Result<Layout, Faults> {
    let reading = Reading::default();
    let root = reading.of(document);
    root.only(&["name", "rows", "columns", "category", "aisles_after"]);
    let name = root.field("name", Node::text);
    let rows = root.field("rows", |rows| rows.integer(1..=200));
    let columns = root.field("columns", |columns| columns.integer(1..=200));
    let category = root.field("category", Node::text);
    let aisles = root.maybe("aisles_after", |list| {
        list.each(200, |after| after.integer(1..=199))
    });
    let described = (|| {
        let aisles_after = aisles?.unwrap_or_default();
        Some(RowsAndColumns {
            name: name?,
            rows: rows?,
            columns: columns?,
            category: category?,
            aisles_after,
        })
    })();
    reading.finish(described)?.layout()
}

/// A file's name without its ending, as the name of a kind of hall.
pub(super) fn stem(path: &Path) -> Result<Name, String> {
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    stem.parse().map_err(|error| format!("the file's name {error}"))
}

#[cfg(test)]
mod tests;
