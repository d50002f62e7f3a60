//! What refusals and the audit trail say in other languages than English; never which refusal it is, and never a text of
//! its own.
//!
//! The English sentence that the code writes is the original, and stays where the rule is. A translation names it
//! (`.en`, with names for what differs); the sentence that was written is laid over it, and what differs goes into the
//! translated one. So a rule, a value that refuses a text and the reader of a body need not know that other languages
//! exist: a translation is one entry in one file, and a test names every sentence that has none.

use std::{collections::HashMap, sync::LazyLock};

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use fluent_syntax::ast;

use crate::{
    korean::{fitted, readable},
    language::Language,
};

/// How deep sentences stand in one another.
const DEPTH_MAX: u8 = 6;
/// Bytes of a sentence that is looked at.
const SENTENCE_BYTES_MAX: usize = 16 * 1024;

const KO: &str = include_str!("messages/ko.ftl");

static KOREAN: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::of("ko", KO, true));

/// What the audit trail says, apart from what refusals say: neither must be taken for the other.
const AUDIT_KO: &str = include_str!("../audit/ko.ftl");

static KOREAN_AUDIT: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::of("ko", AUDIT_KO, false));

/// The page of a refusal in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The type in words.
    pub title: String,
    /// What the caller can do.
    pub help: String,
}

/// The title and help of a refusal, if they exist in this language. The English ones stand in the code.
#[must_use]
pub fn page(language: Language, slug: &str) -> Option<Told> {
    let catalogue = catalogue(language)?;
    let id = id(slug);
    Some(Told {
        title: catalogue.attribute(&id, "title")?,
        help: catalogue.attribute(&id, "help")?,
    })
}

/// What happened, in this language. What has no translation stays English, behind what is said of its type.
#[must_use]
pub fn detail(language: Language, slug: &str, english: &str) -> String {
    let Some(catalogue) = catalogue(language) else {
        return english.to_owned();
    };
    let id = id(slug);
    let own = catalogue.own.get(&id).map(|index| &catalogue.sentences[*index]);
    let told = own
        .and_then(|own| catalogue.laid_over(own, english, DEPTH_MAX))
        .or_else(|| catalogue.said(english, DEPTH_MAX));
    told.unwrap_or_else(|| {
        let general = catalogue
            .general(&id)
            .or_else(|| catalogue.attribute(&id, "title"));
        format!("{} ({english})", general.unwrap_or_default())
    })
}

/// An English sentence in this language; `None` where it has no translation.
#[must_use]
pub fn said(language: Language, english: &str) -> Option<String> {
    match catalogue(language) {
        None => Some(english.to_owned()),
        Some(catalogue) => catalogue.said(english, DEPTH_MAX),
    }
}

/// A sentence of the audit trail in this language; `None` where it has no translation.
#[must_use]
pub fn told(language: Language, english: &str) -> Option<String> {
    match language {
        Language::English => Some(english.to_owned()),
        Language::Korean => KOREAN_AUDIT.said(english, DEPTH_MAX),
    }
}

/// Everything wrong with the translations themselves: what cannot be read, and names that stand on one side only.
#[must_use]
pub fn faults(language: Language) -> Vec<String> {
    let audit = match language {
        Language::English => Vec::new(),
        Language::Korean => KOREAN_AUDIT.faults(),
    };
    let refusals = catalogue(language).map_or_else(Vec::new, Catalogue::faults);
    refusals.into_iter().chain(audit).collect()
}

/// The ids of all entries, and the pieces of English text that each one looks for.
#[must_use]
pub fn entries(language: Language) -> Vec<(String, Vec<String>)> {
    let entries = catalogue(language).into_iter().flat_map(|catalogue| {
        let pieces = |id: &String| {
            let own = catalogue.own.get(id).map(|index| &catalogue.sentences[*index]);
            own.map_or_else(Vec::new, |sentence| sentence.english.texts())
        };
        catalogue.ids.iter().map(move |id| (id.clone(), pieces(id)))
    });
    entries.collect()
}

/// The name of a refusal's entry: names cannot have a slash.
#[must_use]
pub fn id(slug: &str) -> String {
    slug.replace('/', "-")
}

fn catalogue(language: Language) -> Option<&'static Catalogue> {
    match language {
        Language::English => None,
        Language::Korean => Some(&KOREAN),
    }
}

/// All translations into one language.
struct Catalogue {
    /// Whether whatever stands in a sentence may be one itself. The audit trail repeats names, which stay as they are.
    tells_all: bool,
    bundle: FluentBundle<FluentResource>,
    ids: Vec<String>,
    /// Those that stand for an English sentence, the ones with most text of their own first.
    sentences: Vec<Sentence>,
    /// Where the sentence of an entry is.
    own: HashMap<String, usize>,
    unread: Vec<String>,
}

/// An English sentence that has a translation.
struct Sentence {
    id: String,
    english: Pattern,
}

/// A sentence as text and named gaps.
#[derive(Debug, Default)]
struct Pattern(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Gap(String),
}

impl Catalogue {
    fn of(tag: &str, source: &str, tells_all: bool) -> Self {
        let (resource, errors) = match FluentResource::try_new(source.to_owned()) {
            Ok(resource) => (resource, Vec::new()),
            Err((resource, errors)) => (resource, errors),
        };
        let mut unread: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let (mut ids, mut sentences) = (Vec::new(), Vec::new());
        for entry in resource.entries() {
            let ast::Entry::Message(message) = entry else {
                continue;
            };
            let id = message.id.name.to_owned();
            let english = message
                .attributes
                .iter()
                .find(|attribute| attribute.id.name == "en");
            if let Some(english) = english {
                let english = Pattern::of(&english.value);
                sentences.push(Sentence {
                    id: id.clone(),
                    english,
                });
            }
            ids.push(id);
        }
        sentences.sort_by_key(|sentence| std::cmp::Reverse(sentence.english.letters()));
        let places = sentences.iter().enumerate();
        let own = places
            .map(|(index, sentence)| (sentence.id.clone(), index))
            .collect();
        let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
        // Marks around what is put in are for texts that run in both directions; these do not.
        bundle.set_use_isolating(false);
        if let Err(errors) = bundle.add_resource(resource) {
            unread.extend(errors.iter().map(ToString::to_string));
        }
        Self {
            tells_all,
            bundle,
            ids,
            sentences,
            own,
            unread,
        }
    }

    /// The translation of a whole sentence, of its clauses, or of what stands behind a name and a colon.
    fn said(&self, english: &str, depth: u8) -> Option<String> {
        if !english.chars().any(char::is_alphabetic) {
            return Some(readable(english));
        }
        let deeper = depth.checked_sub(1)?;
        if english.len() > SENTENCE_BYTES_MAX {
            return None;
        }
        let whole = self
            .sentences
            .iter()
            .find_map(|sentence| self.laid_over(sentence, english, deeper));
        whole.or_else(|| self.in_clauses(english, depth))
    }

    fn in_clauses(&self, english: &str, depth: u8) -> Option<String> {
        if english.contains("; ") {
            let clauses: Option<Vec<String>> = english
                .split("; ")
                .map(|clause| self.said(clause, depth))
                .collect();
            return clauses.map(|clauses| clauses.join("; "));
        }
        // A place in a body begins with a slash and can have any name.
        let is_place = english.starts_with('/');
        let found = if is_place {
            english.rsplit_once(": ")
        } else {
            english.split_once(": ")
        };
        let (name, rest) = found?;
        let is_name = is_place || !name.contains(char::is_whitespace);
        let rest = self.said(rest, depth.checked_sub(1)?).filter(|_| is_name)?;
        Some(format!("{name}: {rest}"))
    }

    /// The translation of `sentence`, if that is what was written.
    fn laid_over(&self, sentence: &Sentence, written: &str, depth: u8) -> Option<String> {
        let mut args = FluentArgs::new();
        for (name, value) in sentence.english.laid_over(written)? {
            let told = (self.tells_all || name.starts_with("said"))
                .then(|| self.said(value, depth))
                .flatten();
            let value = match told {
                Some(said) => said,
                None if name.starts_with("said") => return None,
                None => readable(value),
            };
            args.set(name.to_owned(), value);
        }
        self.formatted(self.bundle.get_message(&sentence.id)?.value()?, &args)
    }

    /// What an entry says without knowing more, if it can.
    fn general(&self, id: &str) -> Option<String> {
        self.formatted(self.bundle.get_message(id)?.value()?, &FluentArgs::new())
    }

    fn attribute(&self, id: &str, name: &str) -> Option<String> {
        let message = self.bundle.get_message(id)?;
        self.formatted(message.get_attribute(name)?.value(), &FluentArgs::new())
    }

    fn formatted(&self, pattern: &ast::Pattern<&str>, args: &FluentArgs) -> Option<String> {
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(args), &mut errors);
        errors.is_empty().then(|| fitted(&text))
    }

    fn faults(&self) -> Vec<String> {
        let sides = self.sentences.iter().filter_map(|sentence| {
            let message = self.bundle.get_message(&sentence.id)?;
            let korean = message.value().map(Pattern::of).unwrap_or_default();
            let (english, korean) = (sentence.english.gaps(), korean.gaps());
            (english != korean).then(|| format!("{}: {english:?} in English, {korean:?} here", sentence.id))
        });
        self.unread.iter().cloned().chain(sides).collect()
    }
}

impl Pattern {
    fn of(pattern: &ast::Pattern<&str>) -> Self {
        let parts = pattern.elements.iter().filter_map(|element| {
            let inline = match element {
                ast::PatternElement::TextElement { value } => return Some(Part::Text((*value).to_owned())),
                ast::PatternElement::Placeable {
                    expression: ast::Expression::Inline(inline),
                } => inline,
                ast::PatternElement::Placeable {
                    expression: ast::Expression::Select { .. },
                } => return None,
            };
            if let ast::InlineExpression::VariableReference { id } = inline {
                return Some(Part::Gap(id.name.to_owned()));
            }
            if let ast::InlineExpression::StringLiteral { value } = inline {
                return Some(Part::Text((*value).to_owned()));
            }
            None
        });
        Self(parts.collect())
    }

    /// How much text it has of its own.
    fn letters(&self) -> usize {
        self.texts().iter().map(String::len).sum()
    }

    fn texts(&self) -> Vec<String> {
        let texts = self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Gap(_) => None,
        });
        texts.collect()
    }

    fn gaps(&self) -> Vec<String> {
        let gaps = self.0.iter().filter_map(|part| match part {
            Part::Gap(name) => Some(name.clone()),
            Part::Text(_) => None,
        });
        let mut gaps: Vec<String> = gaps.collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// What stands in the gaps, if this is the pattern of `written`. The same name twice must stand for the same.
    fn laid_over<'a, 'b>(&'a self, written: &'b str) -> Option<Vec<(&'a str, &'b str)>> {
        let mut rest = written;
        let mut filled: Vec<(&str, &str)> = Vec::new();
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Gap(name) => {
                    let end = match parts.peek() {
                        None => rest.len(),
                        // The last text ends the sentence, wherever else it stands.
                        Some(Part::Text(text)) if self.ends_with(text) => {
                            rest.strip_suffix(text.as_str())?.len()
                        }
                        Some(Part::Text(text)) => rest.find(text.as_str())?,
                        Some(Part::Gap(_)) => return None,
                    };
                    let value = &rest[..end];
                    let is_word = !value.contains(char::is_whitespace);
                    let known = filled.iter().find(|(known, _)| known == name);
                    let fits = !value.is_empty()
                        && (is_word || !name.starts_with("word"))
                        && known.is_none_or(|(_, known)| *known == value);
                    if !fits {
                        return None;
                    }
                    filled.push((name, value));
                    rest = &rest[end..];
                }
            }
        }
        rest.is_empty().then_some(filled)
    }

    fn ends_with(&self, text: &str) -> bool {
        let texts_alike = self
            .0
            .iter()
            .filter(|part| matches!(part, Part::Text(other) if other == text));
        matches!(self.0.last(), Some(Part::Text(last)) if last == text) && texts_alike.count() == 1
    }
}
