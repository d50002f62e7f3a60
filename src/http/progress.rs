//! A stream whose other side must take what is written to it: cuts who does not for too long, never who is only quiet.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The stream, and for how long a write has made no progress.
pub(super) struct Progress<S> {
    stream: S,
    patience: Duration,
    /// Runs while a write waits for the other side.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Progress<S> {
    /// A stream whose writes may wait so long for the other side to take something.
    pub const fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            stalled: None,
        }
    }

    fn judged<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Progress<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Progress<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.judged(cx, outcome)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        this.judged(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.judged(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.judged(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn who_takes_nothing_is_cut() {
        let (ours, theirs) = duplex(8);
        let mut stream = Progress::new(ours, SOON);
        let refused = stream.write_all(&[0; 64]).await;
        assert_eq!(
            refused.map_err(|error| error.kind()),
            Err(io::ErrorKind::TimedOut)
        );
        drop(theirs);
    }

    #[tokio::test]
    async fn who_takes_it_slowly_gets_all_of_it() {
        let (ours, mut theirs) = duplex(8);
        let mut stream = Progress::new(ours, Duration::from_secs(60));
        let (wrote, read) = tokio::join!(
            async {
                stream.write_all(&[7; 64]).await?;
                stream.shutdown().await
            },
            async {
                let (mut all, mut one) = (Vec::new(), [0; 1]);
                while theirs.read(&mut one).await.is_ok_and(|read| read == 1) {
                    all.extend(one);
                }
                all
            }
        );
        assert!(wrote.is_ok());
        assert_eq!(read, [7; 64]);
    }

    #[tokio::test]
    async fn who_asks_nothing_is_not_meant() {
        let (ours, mut theirs) = duplex(8);
        let mut stream = Progress::new(ours, Duration::ZERO);
        stream.write_all(&[1; 8]).await.expect("there is room");
        let mut first = [0; 8];
        theirs.read_exact(&mut first).await.expect("what was written");
        theirs.write_all(&[2]).await.expect("there is room");
        let mut one = [0; 1];
        stream
            .read_exact(&mut one)
            .await
            .expect("reading has no end of its own");
        stream.write_all(&[3]).await.expect("there is room again");
    }
}
