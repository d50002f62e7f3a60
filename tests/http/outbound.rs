//! Whom the server asks is said in its own settings: a proxy that the environment names is never asked.

use std::{io::ErrorKind, net::TcpListener, process::Command};

use jari::{oidc::KeysUrl, payments::CheckoutUrl};

/// Stories in which the server asks its payment provider, its sign-in provider and its carrier of messages.
const STORIES: [&str; 3] = [
    "http::checkout::what_came_through_the_provider_goes_back_through_it_once_though_its_answer_was_lost",
    "http::google::two_tabs_at_once_are_one_customer",
    "notifications::each_message_is_sent_once_though_two_servers_run",
];

#[test]
fn a_stray_proxy_is_never_asked() {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    proxy.set_nonblocking(true).expect("it can look without waiting");
    let url = format!("http://{}", proxy.local_addr().expect("an address"));
    // The same tests once more, in a process where everything is told to go there.
    let mut stories = Command::new(std::env::current_exe().expect("this program"));
    stories.args(STORIES).arg("--exact");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        stories.env(name, &url).env(name.to_lowercase(), &url);
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        stories.env_remove(name);
    }
    let told = stories.output().expect("they run");
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success() && text.contains("3 passed"), "{text}");
    let asked = proxy.accept().map(|(_, peer)| peer).map_err(|error| error.kind());
    assert_eq!(asked, Err(ErrorKind::WouldBlock), "the proxy was asked");
}

#[test]
fn secrets_are_told_over_https_or_on_this_machine() {
    for fine in [
        "https://pay.example.com",
        "http://127.0.0.1:9/pay/",
        "http://localhost:9",
    ] {
        assert!(fine.parse::<CheckoutUrl>().is_ok(), "{fine}");
        assert!(fine.parse::<KeysUrl>().is_ok(), "{fine}");
    }
    for bad in [
        "http://pay.example.com",
        "ftp://pay.example.com",
        "https://user:word@pay.example.com",
        "pay",
    ] {
        assert!(bad.parse::<CheckoutUrl>().is_err(), "{bad}");
        assert!(bad.parse::<KeysUrl>().is_err(), "{bad}");
    }
    assert!("https://pay.example.com?of=us".parse::<CheckoutUrl>().is_err());
}
