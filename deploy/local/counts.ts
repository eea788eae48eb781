/** The numbers of the demo's counts line, read from the services' metrics. */
export interface Counts {
  readonly messages: number;
  readonly missed: number;
  readonly triggered: number;
  readonly sent: number;
  readonly webhooks: number;
  readonly lag: number;
}

/** Prometheus's text format: `name{label="value",…} number`. */
const SAMPLE = /^(\w+)(?:\{([^}]*)\})? ([\d.eE+-]+)$/;

/** Adds up the samples of a metric whose labels contain all of these. */
const sum = (text: string, metric: string, ...labels: readonly string[]): number => {
  let total = 0;
  for (const line of text.split("\n")) {
    const [, name, found = "", value] = SAMPLE.exec(line) ?? [];
    if (name === metric && labels.every((label) => found.includes(label))) total += Number(value);
  }
  return total;
};

export const countsOf = (text: string): Counts => ({
  messages: sum(text, "whileaway_taken_total", 'processor="conversations"', 'topic="messages"'),
  missed: sum(text, "whileaway_candidates_total"),
  triggered: sum(text, "whileaway_decided_total", 'processor="inboxes"', 'topic="notifications"'),
  sent: sum(text, "whileaway_attempt_seconds_count", 'queue="mail"', 'outcome="done"'),
  webhooks: sum(text, "whileaway_attempt_seconds_count", 'queue="webhooks"', 'outcome="done"'),
  lag: sum(text, "whileaway_lag_records"),
});

/** The counts as one line of text. */
export const countsLine = ({ messages, missed, triggered, sent, webhooks, lag }: Counts): string =>
  `messages ${messages} · missed ${missed} · triggered ${triggered} · mails sent ${sent} · webhooks ${webhooks} · lag ${lag}`;

/** Reads the counts of the services at this address; null while they don't answer. */
export const readCounts = async (metrics: string): Promise<Counts | null> => {
  try {
    return countsOf(await (await fetch(metrics)).text());
  } catch {
    return null;
  }
};
