//! The description of the routes, OpenAPI 3.1.
//!
//! What each route takes and answers stands at its handler. What holds for all is added here, so that
//! none forgets it: the problems that any may answer, and who may use it, from the table of `access`.

use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::ComponentsBuilder;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::access::{self, Access};
use crate::problem::{self, ProblemBody};

/// What stands in it before any route does.
pub(super) fn base() -> OpenApi {
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("vjam_session")));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("vjam: accounts and what belongs to them")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Errors are application/problem+json: `code` is for programs, `detail` for \
                     people. Times are milliseconds since 1970, UTC.",
                ))
                .build(),
        )
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme("token", bearer)
                .security_scheme("cookie", cookie)
                .schema(ProblemBody::name(), ProblemBody::schema())
                .build(),
        ))
        .build()
}

/// Adds what holds for all, and writes it as JSON.
pub(super) fn complete(mut description: OpenApi) -> String {
    for (path, item) in &mut description.paths.paths {
        for (method, operation) in operations(item) {
            add_problems(operation);
            operation.security = Some(security(access::of(&method, path)));
        }
    }
    description.to_json().unwrap_or_default()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::PATCH, patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn add_problems(operation: &mut Operation) {
    let mut statuses = vec!["401", "403", "429", "500", "503"];
    if operation.request_body.is_some() {
        statuses.extend(["400", "413", "415", "422"]);
    }
    if has_parameters(operation, &ParameterIn::Path) {
        statuses.extend(["400", "404"]);
    }
    if has_parameters(operation, &ParameterIn::Query) {
        statuses.push("400");
    }
    for status in statuses {
        let entry = operation.responses.responses.entry(status.to_owned());
        entry.or_insert_with(|| problem_response().into());
    }
}

fn has_parameters(operation: &Operation, place: &ParameterIn) -> bool {
    let mut all = operation.parameters.iter().flatten();
    all.any(|one| matches!(one, RefOr::T(parameter) if parameter.parameter_in == *place))
}

fn problem_response() -> utoipa::openapi::Response {
    let schema = Ref::from_schema_name(ProblemBody::name());
    ResponseBuilder::new()
        .description("A problem")
        .content(problem::CONTENT_TYPE, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

/// One of the two where somebody must be signed in; for the others, nothing is asked.
fn security(access: Option<Access>) -> Vec<SecurityRequirement> {
    let scopes: [&str; 0] = [];
    let either = ["token", "cookie"].map(|name| SecurityRequirement::new(name, scopes));
    match access {
        Some(Access::Anybody) => vec![SecurityRequirement::default()],
        Some(Access::User | Access::Moderator | Access::Admin) | None => either.into(),
    }
}

pub(super) fn answer(description: &str) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], description.to_owned()).into_response()
}
