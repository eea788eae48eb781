import { list, oneOf, optional, secret, text, url, whole } from "./config.ts";

/** Variables of every service: Kafka, registry, database, HTTP address, level of logging. */
export const commonVariables = {
  KAFKA_BROKERS: list("Kafka brokers, host:port"),
  KAFKA_TLS: oneOf("whether to speak TLS to Kafka", ["true", "false"], "false"),
  KAFKA_SASL_MECHANISM: optional(oneOf("SASL mechanism for Kafka", ["plain", "scram-sha-256", "scram-sha-512"])),
  KAFKA_SASL_USERNAME: optional(text("user name for Kafka")),
  KAFKA_SASL_PASSWORD: optional(secret("password for Kafka")),
  TOPIC_PREFIX: text("stands before every topic's and group's name, so that installations can share a cluster", ""),
  SCHEMA_REGISTRY_URL: url("base URL of a Confluent-compatible schema registry", ["http:", "https:"]),
  DATABASE_URL: url("PostgreSQL, postgres://user:password@host:port/database", ["postgres:", "postgresql:"]),
  HTTP_HOST: text("address that health, metrics and pages are served on", "127.0.0.1"),
  HTTP_PORT: whole("port for them; 0 takes a free one", 0, 65_535, 8080),
  LOG_LEVEL: oneOf("least level that is logged", ["trace", "debug", "info", "warn", "error"], "info"),
} as const;
