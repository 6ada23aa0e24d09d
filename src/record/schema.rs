//! The JSON Schema of records, made from the types and their documentation.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Record;

/// Returns the schema of a record, in draft 2020-12.
///
/// It holds what a reader of this version needs: fields that only newer records have aren't required, and fields that
/// it doesn't know are allowed, because a newer minor version adds some.
#[must_use]
pub fn schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Record>();
    let mut schema = Value::from(schema);
    plain_descriptions(&mut schema);
    schema
}

/// Turns the links of Rust's documentation into plain names, and its lines into one.
fn plain_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => {
                        *text = text.replace("[`", "`").replace("`]", "`").replace('\n', " ");
                    }
                    other => plain_descriptions(other),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(plain_descriptions),
        _ => {}
    }
}
