//! One WebSocket: a task that reads it, a task that writes it.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::{SplitSink, SplitStream, StreamExt as _};
use protocol::signal::CLOSE_CODE_TOO_SLOW;
use signalling::{AddressBlock, ConnectionId, Unreadable};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::core_task::{Frame, Input, ToWrite, outgoing};
use crate::limits::{CLOSE_PATIENCE, CONTROL_FRAMES_INTERVAL_MIN, PING_INTERVAL};

/// Serves a WebSocket until either side closes it. `_alive` is dropped when all is said.
pub(crate) async fn serve(
    socket: WebSocket,
    connection: ConnectionId,
    from: Option<AddressBlock>,
    inputs: mpsc::Sender<Input>,
    _alive: Arc<mpsc::Sender<()>>,
) {
    let (sink, mut stream) = socket.split();
    let (outgoing, to_write, mut let_go) = outgoing();
    if inputs.send(Input::Connected(connection, from, outgoing)).await.is_err() {
        return;
    }
    let mut writer = tokio::spawn(write(sink, to_write));
    let mut last_control = None;
    loop {
        let message = tokio::select! {
            biased;
            // The core has said its last words here, and wants to hear no more.
            _ = &mut let_go => {
                part(&mut stream, &mut writer).await;
                break;
            }
            // The app is gone, or told to be.
            _ = &mut writer => {
                let _ = timeout(CLOSE_PATIENCE, read_rest(&mut stream)).await;
                break;
            }
            message = stream.next() => message,
        };
        let input = match message {
            Some(Ok(Message::Text(text))) => Input::Message(connection, text.as_str().to_owned()),
            Some(Ok(Message::Binary(_))) => Input::Unreadable(connection, Unreadable::Binary),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => control(connection, &mut last_control),
            Some(Err(error)) if is_too_large(&error) => {
                // Nothing can be read after that: only the farewell is left to be written.
                let _ = inputs.send(Input::Unreadable(connection, Unreadable::TooLarge)).await;
                part(&mut stream, &mut writer).await;
                break;
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
        };
        if inputs.send(input).await.is_err() {
            // The core has ended meanwhile, and has said so.
            part(&mut stream, &mut writer).await;
            break;
        }
    }
    writer.abort();
    // The core's task may have ended before.
    let _ = inputs.send(Input::Disconnected(connection)).await;
}

/// Gives the last words time to be written and answered. What the app had sent before is read
/// meanwhile, or the operating system would reset the connection before the app has read them.
async fn part(stream: &mut SplitStream<WebSocket>, writer: &mut JoinHandle<()>) {
    let parting = async { tokio::join!(writer, read_rest(stream)) };
    let _ = timeout(CLOSE_PATIENCE, parting).await;
}

async fn read_rest(stream: &mut SplitStream<WebSocket>) {
    while let Some(Ok(_)) = stream.next().await {}
}

/// What a ping or pong means: a sign of life, or one too many.
fn control(connection: ConnectionId, last: &mut Option<Instant>) -> Input {
    let now = Instant::now();
    if last.is_some_and(|last| now - last < CONTROL_FRAMES_INTERVAL_MIN) {
        return Input::Unreadable(connection, Unreadable::Control);
    }
    *last = Some(now);
    Input::Alive(connection)
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
                close(&mut sink, CLOSE_CODE_TOO_SLOW).await;
                return;
            }
        };
        to_write.count_written(written_bytes);
        if !goes_on {
            return;
        }
    }
}

/// As long as it takes: [`part`] waits no longer than [`CLOSE_PATIENCE`].
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
