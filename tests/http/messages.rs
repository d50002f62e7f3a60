//! Whatever is refused is said in the language of whoever asks: nothing is missing, nothing is left over.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use aggregates::{Event, Recorded, StreamId, event::NAMES};
use jari::{
    audit::sentence,
    http::{messages, problems},
    language::Language,
};
use jiff::Timestamp;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{contract, conversation::golden, field::Field};
use crate::support::{api::Call, house::Sale};

/// Where sentences for callers are written.
const SPEAKING: [&str; 16] = [
    "aggregates/src",
    "projections/src/words.rs",
    "src/booking",
    "src/http",
    "src/administration.rs",
    "src/customers.rs",
    "src/moments.rs",
    "src/numbers.rs",
    "src/payments/generic.rs",
    "src/payments/webhook.rs",
    "src/programme",
    "src/programme.rs",
    "src/simulation",
    "src/simulation.rs",
    "src/store/precondition.rs",
    "src/ticket.rs",
];

/// Files there whose sentences never leave the server: what is said to an operator, or in English documents only.
const SILENT: [&str; 5] = [
    "aggregates/src/event.rs",
    "aggregates/src/personal.rs",
    "aggregates/src/refusal.rs",
    "src/http/openapi",
    "src/http/metrics.rs",
];

/// Sentences that a library of ours writes.
const BORROWED: [&str; 1] = ["text-json-at"];

/// What begins a sentence for callers in the code, and what ends the part of it that is looked at.
const MARKS: [(&str, char); 9] = [
    ("#[error(", ')'),
    ("Problem::new(", ')'),
    ("Fault::at(", ')'),
    ("fault(", ')'),
    ("let detail = ", ';'),
    ("let problem = ", ';'),
    ("let why = ", ';'),
    ("unauthorized(", ')'),
    ("refused(\"", ')'),
];

fn files(place: &Path, found: &mut Vec<PathBuf>) {
    if place.is_file() {
        found.push(place.to_owned());
    } else {
        for entry in fs::read_dir(place).expect("a folder").flatten() {
            files(&entry.path(), found);
        }
    }
}

/// The code of every speaking file without its tests and comments, with its name.
fn speaking() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for place in SPEAKING {
        files(&root.join(place), &mut found);
    }
    let named = found.into_iter().map(|path| {
        let name = path
            .strip_prefix(root)
            .expect("below the root")
            .display()
            .to_string();
        (name, path)
    });
    let speaking = named.filter(|(name, path)| {
        let silent = SILENT.iter().any(|silent| name.starts_with(silent));
        path.extension().is_some_and(|kind| kind == "rs") && !name.ends_with("tests.rs") && !silent
    });
    speaking
        .map(|(name, path)| {
            let text = fs::read_to_string(path).expect("a text");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            (name, lines.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// The texts in quotes up to `end` outside of them and of brackets.
fn literals(code: &str, end: char) -> Vec<String> {
    let (mut found, mut depth) = (Vec::new(), 0_i32);
    let mut letters = code.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                let mut text = String::new();
                while let Some(letter) = letters.next() {
                    match letter {
                        '"' => break,
                        '\\' => match letters.next() {
                            Some('\n') => while letters.next_if(|c| c.is_whitespace()).is_some() {},
                            Some(escaped) => text.push(escaped),
                            None => break,
                        },
                        other => text.push(other),
                    }
                }
                found.push(text);
            }
            c if c == end && depth == 0 => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _other => {}
        }
    }
    found
}

/// A sentence with a number in each gap.
fn filled(sentence: &str) -> String {
    let mut filled = String::new();
    let mut letters = sentence.chars();
    while let Some(letter) = letters.next() {
        if letter == '{' {
            filled.push('7');
            letters.by_ref().take_while(|c| *c != '}').for_each(drop);
        } else {
            filled.push(letter);
        }
    }
    filled
}

/// Every sentence for callers that stands in the code, with its file.
fn sentences() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, code) in speaking() {
        for (mark, end) in MARKS {
            for (place, _) in code.match_indices(mark) {
                let from = place + mark.trim_end_matches('"').len();
                let sentences = literals(&code[from..], end).into_iter();
                // A place in a body is no sentence, nor is a name, nor a part that is only looked for.
                let sentences = sentences
                    .filter(|text| text.contains(' ') && !text.starts_with('/') && !text.ends_with(" of"));
                found.extend(sentences.map(|text| (name.clone(), text)));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_sentence_in_the_code_is_told_in_korean() {
    let sentences = sentences();
    assert!(sentences.len() > 200, "{}", sentences.len());
    let missing: Vec<String> = sentences
        .iter()
        .filter(|(_, sentence)| messages::said(Language::Korean, &filled(sentence)).is_none())
        .map(|(file, sentence)| format!("{file}: {sentence}"))
        .collect();
    assert!(
        missing.is_empty(),
        "src/http/messages/ko.ftl has no entry with an .en like these: {missing:#?}"
    );
}

/// The sentences of the audit trail, and the parts of which they are put together.
#[test]
fn every_sentence_of_the_audit_trail_is_told_in_korean() {
    let golden =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/stored_events.json"));
    let golden: Value = serde_json::from_str(&golden.expect("the golden")).expect("JSON");
    let is_korean = |text: &str| text.contains(|c| matches!(c, '가'..='힣'));
    let mut missing = Vec::new();
    for (kind, names) in NAMES {
        for name in *names {
            let recorded = Recorded {
                position: 1,
                recorded_at: Timestamp::UNIX_EPOCH,
                stream: StreamId::stored(kind, "0192d3a0-0000-7000-8000-000000000001:A1"),
                sequence: 1,
                event: Event::read(kind, &golden[*name].to_string()).expect("an event"),
                metadata: Arc::default(),
            };
            let english = sentence(&recorded);
            match messages::told(Language::Korean, &english) {
                Some(korean) if is_korean(&korean) => {}
                Some(_) | None => missing.push(english),
            }
        }
    }
    assert!(
        missing.is_empty(),
        "src/audit/ko.ftl has no entry for {missing:#?}"
    );
    for (english, korean) in [
        (
            "seat A1 was blocked (personal)",
            "A1 좌석이 판매에서 빠졌습니다 (개인 정보)",
        ),
        (
            "the time slot was closed (projector, again)",
            "회차가 닫혔습니다 (사유: projector, again)",
        ),
        (
            "the reservation was cancelled at the counter (personal): 0 KRW retained, 14000 KRW due back, the coupon \
             stays redeemed",
            "예약이 매표소에서 취소되었습니다 (개인 정보): 0원 공제, 14000원 환불 예정, 쿠폰은 사용된 채로 남음",
        ),
        (
            "the reservation was placed with coupon 7KQ4MZ2H for 14000 KRW, to be paid on site, admitted by identity card",
            "쿠폰 7KQ4MZ2H로 예약이 접수되었습니다: 14000원, 현장 결제, 신분증으로 확인",
        ),
        (
            "the time slot is sold otherwise from now on: lone seats allowed, holds of 10 minutes, cancelling online until \
             20 minutes",
            "이제부터 회차를 다르게 판매합니다: 홀로 남는 좌석 허용, 선점 10분, 온라인 취소 20분 전까지",
        ),
        // What somebody called a thing stays so.
        (
            "the branch was renamed to everything",
            "지점의 이름이 everything으로 바뀌었습니다",
        ),
        ("the guest of reservation 7", "예약 7의 비회원"),
        ("the absences policy", "absences 정책"),
        ("somebody unknown", "알 수 없는 사람"),
    ] {
        let told = messages::told(Language::Korean, english);
        assert_eq!(told.as_deref(), Some(korean), "{english}");
    }
    assert_eq!(
        messages::told(Language::Korean, "nobody has ever said this"),
        None
    );
}

#[test]
fn every_refusal_has_a_korean_title_help_and_detail() {
    let is_korean = |text: &str| text.contains(|c| matches!(c, '가'..='힣'));
    let missing: Vec<&str> = problems::pages()
        .iter()
        .map(problems::ProblemPage::slug)
        .filter(|slug| {
            let page = messages::page(Language::Korean, slug);
            let told = page.is_some_and(|page| is_korean(&page.title) && is_korean(&page.help));
            let entry = messages::entries(Language::Korean)
                .into_iter()
                .any(|(id, _)| id == messages::id(slug));
            !told || !entry || !is_korean(&messages::detail(Language::Korean, slug, "unheard of"))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "src/http/messages/ko.ftl needs a text with .title and .help for {missing:#?}"
    );
}

#[test]
fn every_translation_says_the_same_and_is_of_use() {
    assert_eq!(messages::faults(Language::Korean), [""; 0]);
    let code: String = speaking().into_iter().map(|(_, code)| code).collect();
    // As the code may break a line inside a sentence.
    let code: String = code.split("\\\n").map(str::trim_start).collect();
    let code = code.replace("\\\"", "\"");
    let slugs: Vec<String> = problems::pages()
        .iter()
        .map(|page| messages::id(page.slug()))
        .collect();
    let mut ids: Vec<&String> = slugs.iter().collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), slugs.len(), "two refusals have one name");
    let left_over: Vec<String> = messages::entries(Language::Korean)
        .into_iter()
        .filter(|(id, pieces)| {
            let written = pieces.iter().all(|piece| {
                // Two pieces of code may make one sentence of clauses.
                code.contains(piece.trim()) || code.contains(&piece.trim().replace('`', ""))
            });
            let is_known = slugs.contains(id) || id.starts_with("text-");
            !is_known || !(written || BORROWED.contains(&&**id))
        })
        .map(|(id, pieces)| format!("{id}: {pieces:?}"))
        .collect();
    assert!(
        left_over.is_empty(),
        "nothing says these any more: {left_over:#?}"
    );
}

#[test]
fn sentences_in_sentences_lists_and_fields_are_told() {
    let told = |english: &str| messages::said(Language::Korean, english);
    for (english, korean) in [
        (
            "C7: the seat is taken; C8: the seat is not for sale",
            "C7: 이미 선택된 좌석입니다; C8: 판매하지 않는 좌석입니다",
        ),
        (
            "sales open at 2026-12-24T10:00:00Z",
            "예약은 2026년 12월 24일 10:00(UTC)에 열립니다",
        ),
        (
            "seats A1, A2 would be left alone",
            "A1, A2 좌석만 홀로 남게 됩니다",
        ),
        ("the amount due is 26000 KRW", "결제할 금액은 26000원입니다"),
        ("must be a UUID", "UUID여야 합니다"),
        (
            "must be cinema or escape_room",
            "cinema 또는 escape_room이어야 합니다",
        ),
        ("the body must be an object", "본문: 객체여야 합니다"),
        (
            "is not a known field; did you mean seats?",
            "없는 항목입니다; 혹시 seats인가요?",
        ),
        (
            "branch: must be a UUID; film: is no parameter here; there are branch, movie",
            "branch: UUID여야 합니다; film: 여기에 없는 매개변수입니다; 쓸 수 있는 것: branch, movie",
        ),
        (
            "the plan is not consistent: /plan/ends_at: must not be past",
            "회차 계획이 서로 맞지 않습니다: /plan/ends_at: 지난 시각일 수 없습니다",
        ),
        ("`x` is not a UUID", "`x`는 UUID가 아닙니다"),
        (
            "expected value at line 1 column 2",
            "1번째 줄 2번째 글자에서 JSON 형식에 어긋납니다(expected value)",
        ),
    ] {
        assert_eq!(told(english).as_deref(), Some(korean), "{english}");
    }
    assert_eq!(told("nobody has ever said this"), None);
    assert_eq!(told("must be nobody's word"), None);
    assert_eq!(told(&"a; ".repeat(100_000)), None);
    assert_eq!(
        messages::detail(Language::Korean, "request/malformed-path", "unheard of"),
        "경로를 읽을 수 없습니다 (unheard of)"
    );
    assert_eq!(
        messages::detail(Language::English, "request/malformed-path", "unheard of"),
        "unheard of"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_in_korean_is_answered_in_korean() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 2, 5, Sale::Long).await;
    let other = field.house.screening(&field.api, 2, 6, Sale::Long).await;
    let korean: [(&str, &str); 1] = [("accept-language", "ko-KR,ko;q=0.9,en;q=0.8")];
    let mut talk = field.talk();
    talk.ask(Method::GET, "/v1/nothing", None, &korean).await;
    talk.ask(Method::GET, "/v1/branches?colour=red&limit=0", None, &korean)
        .await;
    talk.ask(Method::GET, "/v1/reservations", None, &korean).await;
    let held = json!({ "time_slot": slot, "seats": ["B2", "B3"], "persons": { "adult": 2 } });
    field
        .api
        .done(&Call::post("/v1/reservations", held.clone()))
        .await;
    let body = Some(held);
    talk.ask(Method::POST, "/v1/reservations", body, &korean).await;
    let wrong = json!({ "time_slot": "x", "seat": ["A1"], "persons": { "adult": -1 } });
    talk.ask(Method::POST, "/v1/reservations", Some(wrong), &korean)
        .await;
    let unknown = json!({ "time_slot": other, "seats": ["Z9"], "persons": { "adult": 1 } });
    talk.ask(Method::POST, "/v1/reservations", Some(unknown), &korean)
        .await;
    talk.kept_as("http_problems_ko");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_language_is_said_to_be_there_is_an_answer() {
    let field = Field::open().await;
    let client = Client::builder().no_proxy().build().expect("a client");
    let address = format!("http://{}/v1/branches/x", field.address());
    let long = "ko,".repeat(2_000);
    for (list, language) in [
        (None, "en"),
        (Some("ko"), "ko"),
        (Some("en;q=0.1, ko;q=0.2"), "ko"),
        (Some("fr-CA, *;q=0.1"), "en"),
        (Some(""), "en"),
        (Some(";;=,,;q=9,*-*"), "en"),
        (Some(&*long), "en"),
    ] {
        let request = client.get(&address);
        let request = match list {
            Some(list) => request.header("accept-language", list),
            None => request,
        };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["content-language"], language, "{list:?}");
        assert_eq!(answer.headers()["vary"], "accept-language");
        let (.., text) = contract::heard(&Method::GET, "/v1/branches/x", answer).await;
        let problem: Value = serde_json::from_str(&text).expect("a problem");
        assert_eq!(problem["type"], "/problems/request/malformed-path");
        let detail = if language == "ko" {
            "`x`는 UUID가 아닙니다"
        } else {
            "`x` is not a UUID"
        };
        assert_eq!(problem["detail"], detail);
    }
    field.close().await;
}

#[test]
fn the_korean_pages_are_the_ones_on_record() {
    let lines: Vec<String> = problems::pages()
        .iter()
        .filter_map(|page| {
            let told = messages::page(Language::Korean, page.slug())?;
            Some(format!(
                "{} {} | {} | {}",
                page.status(),
                page.slug(),
                told.title,
                told.help
            ))
        })
        .collect();
    golden("http_problem_types_ko", &lines.join("\n"));
    let table = problems::markdown();
    assert_eq!(table.lines().count(), problems::pages().len() + 2);
}
