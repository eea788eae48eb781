import type { NotificationEvent } from "../../../services/domain/records.ts";
import type { NewRecord } from "../../../services/domain/log-record.ts";
import { conversations } from "../../../services/conversations/rule.ts";
import { DEFAULT_ROLE, noSettings, type SettingsFields } from "../../../services/domain/role-settings.ts";
import { type Millis, MINUTE, SECOND } from "../../../services/platform/contract/time.ts";
import { topicIds, product, topics } from "../../../services/domain/topics.ts";
import { inboxes } from "../../../services/inboxes/rule.ts";
import { memoryRegistry } from "../../../services/platform/memory/registry.ts";
import { topology } from "../../../services/platform/memory/topology.ts";
import { revisionOf } from "../../../services/ops/revise.ts";
import { avroCodec, registeredIds, schemaOf, subjectOf } from "../../../services/platform/adapters/registry/codec.ts";
import { SESSION_TTL } from "../../../services/inboxes/sessions.ts";

/** A mail that must arrive, once. */
export interface ExpectedMail {
  readonly notificationId: string;
  readonly address: string;
}

/** Longest that a burst puts off what is due. */
const MAX_SETTLING = MINUTE;

/** What the rule, alone and in memory, says of these records: every mail that they must lead to. */
export const expectedMails = async (
  said: readonly NewRecord[],
  settings: SettingsFields,
): Promise<readonly ExpectedMail[]> => {
  const registry = memoryRegistry();
  for (const topic of topicIds) await registry.register(subjectOf(topics[topic], ""), schemaOf(topics[topic]));
  const times = [...new Set(said.map(timeOf))].toSorted((a, b) => a - b);
  await using chat = topology(
    product,
    avroCodec(product, registry, await registeredIds(product, registry, "")),
    times[0] ?? 0,
  );
  await chat.process(conversations, () => undefined);
  await chat.process(inboxes, () => noSettings); // what the log says comes instead
  await chat.publish(revisionOf(DEFAULT_ROLE, settings, 1, times[0] ?? 0));
  for (const time of times) {
    await chat.advance(time);
    await chat.publish(...said.filter((record) => timeOf(record) === time));
  }
  await chat.advance((times.at(-1) ?? 0) + SESSION_TTL + settings.timeout * SECOND + MAX_SETTLING);
  return (chat.values("notifications") as readonly NotificationEvent[]).flatMap(({ notificationId, snapshot }) =>
    (snapshot?.recipient.emails ?? []).map((address) => ({ notificationId, address })),
  );
};

const timeOf = ({ value }: NewRecord): Millis => (value !== null && "occurredAt" in value ? value.occurredAt : 0);
