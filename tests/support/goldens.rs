//! Goldens in `snapshots/`: what others rely on. A changed one is a decision, and the commit says why.

use std::path::Path;

/// Compares text with the golden of this name.
#[track_caller]
pub fn assert(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
