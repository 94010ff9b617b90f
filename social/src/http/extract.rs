//! What a request holds, read with the sentences of [`crate::problem`].

use std::fmt;
use std::marker::PhantomData;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::JSON_BYTES_MAX;
use crate::problem::{Problem, ProblemCode};

/// A body of JSON; in an answer too.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<Object<T>>::from_request(request, state).await {
            Ok(axum::Json(Object(value))) => Ok(Self(value)),
            Err(rejection) => Err(explain(&rejection)),
        }
    }
}

/// What is written as an object: a structure would be read of a list of its values too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn explain(rejection: &JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let text = "send the body as JSON, with Content-Type: application/json";
            Problem::new(ProblemCode::WrongType, text)
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            let text = format!("the body may have {JSON_BYTES_MAX} bytes at most");
            Problem::new(ProblemCode::TooLarge, text)
        }
        // What the parser says names fields and positions. It quotes values too, which are the
        // sender's own and go back to nobody else.
        StatusCode::UNPROCESSABLE_ENTITY => Problem::new(ProblemCode::Invalid, why(rejection)),
        _ => Problem::new(ProblemCode::BadJson, why(rejection)),
    }
}

/// The innermost of its reasons: those around it only say that there is one.
fn why(rejection: &JsonRejection) -> String {
    let mut reason: &dyn std::error::Error = rejection;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    format!("the body is not what this route takes: {reason}")
}

/// What stands in the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::new(
                ProblemCode::BadRequest,
                format!("the path is wrong: {rejection}"),
            )),
        }
    }
}

/// What stands behind the question mark.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = format!("the query is wrong: {}", rejection.body_text());
                Err(Problem::new(ProblemCode::BadRequest, text))
            }
        }
    }
}
