import type { ConversationId } from "../core/ids.ts";
import type { Millis } from "../core/time.ts";
import type { Draft } from "./draft.ts";
import { reconsider } from "./missed.ts";
import { attends, changesFrom, forgetful, lapsing, sessionOf, withMoment } from "./sessions.ts";
import { wasThere } from "./profile.ts";
import { LATENESS, type Moment, type PresenceRow } from "./state.ts";

/** A session shows that it is there, or that it ends. */
export const onMoment = (user: Draft, sessionId: string, moment: Moment): void => {
  lapse(user); // what ends at this very time is looked at now or never: the row is as of this time from here on
  const before = user.presence();
  const session = sessionOf(before, sessionId);
  const after = withMoment(session, moment);
  if (after === session) return;
  const signAt = moment.isSign ? Math.max(before.signAt ?? moment.at, moment.at) : before.signAt;
  const asOf = Math.max(before.asOf, user.now);
  const row = { ...before, sessions: { ...before.sessions, [sessionId]: after }, signAt, asOf };
  user.setPresence(forgetful(row));
  reconsiderFrom(user, changesFrom(session, moment.at, before.asOf));
};

/** Sessions without a sign for SESSION_TTL were live only until their latest: what came on their screens after is missed. */
export const lapse = (user: Draft): void => {
  const before = user.presence();
  const lapsed = lapsing(before, before.asOf, user.now);
  if (lapsed.length === 0) return;
  user.setPresence(forgetful({ ...before, asOf: user.now }));
  reconsiderFrom(user, Math.min(...lapsed.map(({ at }) => at)));
};

/** A message came while the conversation was on screen. */
export const noteAttended = (user: Draft, conversation: ConversationId, since: Millis): void => {
  const row = user.presence();
  const latest = Object.hasOwn(row.attended, conversation) ? (row.attended[conversation] ?? since) : -Infinity;
  if (since > latest) user.setPresence({ ...row, attended: { ...row.attended, [conversation]: since } });
};

/** Decides anew what was missed from a time on, wherever that may be another now. */
export const reconsiderFrom = (user: Draft, since: Millis): void => {
  const from = Math.max(since, user.now - LATENESS); // before, not all is remembered
  const row = user.presence();
  const attended = Object.entries(row.attended).filter(([, latest]) => latest >= from);
  const missed = Object.entries(user.pending().open).filter(
    ([conversation, { last }]) => last >= from && isOnScreen(row, conversation),
  );
  const concerned = new Set([...attended, ...missed].map(([conversation]) => conversation));
  if (concerned.size > 0) {
    user.expect([...concerned]);
    for (const conversation of concerned) reconsiderThread(user, row, conversation, from);
  }
  forgetAttended(user);
};

const reconsiderThread = (user: Draft, row: PresenceRow, conversation: ConversationId, from: Millis): void => {
  const before = user.thread(conversation).missed;
  const isAttended = ({ since }: { readonly since: Millis }): boolean =>
    attends(row, conversation, since, user.now) || !wasThere(user.profile(), since);
  user.changeThread(conversation, (thread) => reconsider(thread, from, isAttended, user.now), {
    reason: "attending",
    facts: {},
  });
  const { missed, attended } = user.thread(conversation);
  const known = new Set(before.map(({ messageId }) => messageId));
  const back = missed.filter(({ messageId }) => !known.has(messageId)).map(({ messageId }) => messageId);
  if (back.length > 0) user.note({ verdict: "CANDIDATE", conversationId: conversation, messageIds: back });
  const latest = attended.at(-1)?.since;
  if (latest !== undefined) noteAttended(user, conversation, latest);
};

const isOnScreen = ({ sessions }: PresenceRow, conversation: ConversationId): boolean =>
  Object.values(sessions).some((session) => session.some(({ screen }) => screen === conversation));

/** What was attended so long ago stays so. */
const forgetAttended = (user: Draft): void => {
  const row = user.presence();
  const kept = Object.entries(row.attended).filter(([, latest]) => latest > user.now - LATENESS);
  if (kept.length < Object.keys(row.attended).length) user.setPresence({ ...row, attended: Object.fromEntries(kept) });
};
