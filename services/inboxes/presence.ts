import type { ConversationId } from "../core/ids.ts";
import type { Millis } from "../core/time.ts";
import type { Draft } from "./draft.ts";
import { reconsider } from "./missed.ts";
import {
  attends,
  changesFrom,
  earliestLapsed,
  forgetful,
  momentsOf,
  watched,
  withMoment,
  withSession,
} from "./sessions.ts";
import { wasThere } from "./profile.ts";
import { LATENESS, type Moment, type UserRow } from "./state.ts";

/** A session shows that it is there, or that it ends. */
export const onMoment = (user: Draft, sessionId: string, moment: Moment): void => {
  const { row: before, now } = user;
  const known = momentsOf(before, sessionId);
  const moments = withMoment(known, moment);
  if (moments === known) return;
  const sessions = withSession(before.sessions, { sessionId, moments });
  const signAt = moment.isSign ? Math.max(before.signAt ?? moment.at, moment.at) : before.signAt;
  user.row = watched(forgetful({ ...before, sessions, signAt }, now), now);
  reconsiderFrom(user, changesFrom(known, moment.at, before.asOf));
};

/**
 * Sessions without a sign for SESSION_TTL were live only until their latest: what came on their screens after is missed.
 * What ends at this very time is looked at before anything else of this time, or never.
 */
export const lapse = (user: Draft): void => {
  const { row, now } = user;
  if (row.lapsesAt === null || row.lapsesAt > now) return;
  const lapsed = earliestLapsed(row, row.asOf, now);
  user.row = watched(forgetful(row, now), now);
  reconsiderFrom(user, lapsed ?? now);
};

/** A message came while the conversation was on screen. */
export const noteAttended = (user: Draft, conversation: ConversationId, since: Millis): void => {
  const { row } = user;
  const latest = Object.hasOwn(row.attended, conversation) ? (row.attended[conversation] ?? since) : -Infinity;
  if (since > latest) user.row = { ...row, attended: { ...row.attended, [conversation]: since } };
};

/** Decides anew what was missed from a time on, wherever that may be another now. */
export const reconsiderFrom = (user: Draft, since: Millis): void => {
  const from = Math.max(since, user.now - LATENESS); // before, not all is remembered
  const { row } = user;
  const concerned = new Set<ConversationId>();
  for (const [conversation, latest] of Object.entries(row.attended)) if (latest >= from) concerned.add(conversation);
  for (const { conversationId, last } of row.open)
    if (last >= from && isOnScreen(row, conversationId)) concerned.add(conversationId);
  if (concerned.size > 0) {
    user.expect(concerned);
    for (const conversation of concerned) reconsiderThread(user, row, conversation, from);
  }
  forgetAttended(user);
};

const reconsiderThread = (user: Draft, row: UserRow, conversation: ConversationId, from: Millis): void => {
  const before = user.thread(conversation).missed;
  const isAttended = ({ since }: { readonly since: Millis }): boolean =>
    attends(row, conversation, since, user.now) || !wasThere(row, since);
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

const isOnScreen = ({ sessions }: UserRow, conversation: ConversationId): boolean =>
  sessions.some(({ moments }) => moments.some(({ screen }) => screen === conversation));

/** What was attended so long ago stays so. */
const forgetAttended = (user: Draft): void => {
  const { row } = user;
  const all = Object.entries(row.attended);
  const kept = all.filter(([, latest]) => latest > user.now - LATENESS);
  if (kept.length < all.length) user.row = { ...row, attended: Object.fromEntries(kept) };
};
