//! One WebSocket: a task that reads it, a task that writes it.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::{SplitSink, StreamExt as _};
use protocol::signal::CLOSE_CODE_TOO_SLOW;
use signalling::{ConnectionId, Unreadable};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::core_task::{Frame, Input, ToWrite, outgoing};
use crate::limits::{CLOSE_PATIENCE, PING_INTERVAL};

/// Serves a WebSocket until either side closes it. `_alive` is dropped when all is said.
pub(crate) async fn serve(
    socket: WebSocket,
    connection: ConnectionId,
    inputs: mpsc::Sender<Input>,
    _alive: Arc<mpsc::Sender<()>>,
) {
    let (sink, mut stream) = socket.split();
    let (outgoing, to_write) = outgoing();
    if inputs.send(Input::Connected(connection, outgoing)).await.is_err() {
        return;
    }
    let mut writer = tokio::spawn(write(sink, to_write));
    loop {
        let message = tokio::select! {
            message = stream.next() => message,
            _ = &mut writer => {
                // Ours was the last word. The app's close frame may still come, and what it had
                // sent before must be read, or the operating system resets the connection before
                // the app has read our last words.
                let rest = async { while let Some(Ok(_)) = stream.next().await {} };
                let _ = timeout(CLOSE_PATIENCE, rest).await;
                break;
            }
        };
        let input = match message {
            Some(Ok(Message::Text(text))) => Input::Message(connection, text.as_str().to_owned()),
            Some(Ok(Message::Binary(_))) => Input::Unreadable(connection, Unreadable::Binary),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Input::Alive(connection),
            Some(Err(error)) if is_too_large(&error) => {
                // Nothing can be read after that: wait for the farewell to be written.
                let input = Input::Unreadable(connection, Unreadable::TooLarge);
                if inputs.send(input).await.is_ok() {
                    let _ = timeout(CLOSE_PATIENCE, &mut writer).await;
                }
                break;
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
        };
        if inputs.send(input).await.is_err() {
            break;
        }
    }
    writer.abort();
    // The core's task may have ended before.
    let _ = inputs.send(Input::Disconnected(connection)).await;
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut to_write: ToWrite) {
    let mut pings = interval(PING_INTERVAL);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let writing = async {
            tokio::select! {
                biased;
                frame = to_write.frames.recv() => match frame {
                    Some(Frame::Text(text)) => {
                        let bytes = text.len();
                        let sent = sink.send(Message::Text(Utf8Bytes::from(&*text))).await;
                        (sent.is_ok(), bytes)
                    }
                    Some(Frame::Close(code)) => {
                        close(&mut sink, code).await;
                        (false, 0)
                    }
                    None => (false, 0),
                },
                _ = pings.tick() => {
                    let sent = sink.send(Message::Ping(axum::body::Bytes::new())).await;
                    (sent.is_ok(), 0)
                }
            }
        };
        let (goes_on, written_bytes) = tokio::select! {
            done = writing => done,
            () = to_write.overflowed.notified() => {
                // Whatever could not be written stays unwritten, this most likely too.
                let _ = timeout(CLOSE_PATIENCE, close(&mut sink, CLOSE_CODE_TOO_SLOW)).await;
                return;
            }
        };
        to_write.count_written(written_bytes);
        if !goes_on {
            return;
        }
    }
}

async fn close(sink: &mut SplitSink<WebSocket, Message>, code: u16) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static("") };
    // An app that is gone needs no farewell.
    let _ = sink.send(Message::Close(Some(frame))).await;
}

fn is_too_large(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<tungstenite::Error>());
    matches!(source, Some(tungstenite::Error::Capacity(_)))
}
