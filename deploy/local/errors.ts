/** A condition that the operator must know or mend before the local stack can run. Its message needs no stack trace. */
export class LocalStackError extends Error {
  override readonly name = "LocalStackError";
}

/** A missing program: the requirement, the version found, and the package to install. */
export interface Missing {
  readonly what: string;
  readonly found: string;
  readonly install: string;
}

/** Makes one error of everything that is missing, so that the operator installs it in one go. */
export function missingError(missing: readonly Missing[]): LocalStackError {
  const lines = missing.map((m) => `  - ${m.what} (${m.found}): ${m.install}`);
  return new LocalStackError(
    [
      "The local stack lacks:",
      ...lines,
      "Or name running servers by KAFKA_BROKERS, SCHEMA_REGISTRY_URL and DATABASE_URL, or start a Docker engine.",
    ].join("\n"),
  );
}

/** Joins the messages of several failures of parts that were started side by side. */
export function joined(failures: readonly unknown[]): unknown {
  const [first] = failures;
  if (failures.length === 1) return first;
  return new LocalStackError(failures.map((f) => (f instanceof Error ? f.message : String(f))).join("\n"), {
    cause: first,
  });
}
